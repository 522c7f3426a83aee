package setops

import (
	"strings"
	"testing"
)

func TestDomainsAreWholeNamesOfTheInternet(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := strings.Repeat(label+".", 3) + strings.Repeat("b", 61) // 253
	for name, want := range map[string]Validator{
		"example.com":          "",
		"www.example.com":      "",
		"a.b":                  "",
		"1.2.example":          "",
		"xn--bcher-kva.de":     "",
		"*.example.com":        "",
		"*.com":                InvalidFormat,
		label + ".com":         "",
		"a" + label + ".com":   InvalidFormat,
		long:                   "",
		long + "b":             TooLong,
		"":                     Required,
		"com":                  InvalidFormat,
		"Example.com":          InvalidFormat, // not canonical
		"example.com.":         InvalidFormat,
		".example.com":         InvalidFormat,
		"a..b":                 InvalidFormat,
		"-a.example.com":       InvalidFormat,
		"a-.example.com":       InvalidFormat,
		"a_b.example.com":      InvalidFormat,
		"_acme.example.com":    InvalidFormat,
		"a b.example.com":      InvalidFormat,
		"bücher.de":            InvalidFormat,
		"example.com/path":     InvalidFormat,
		"http://example.com":   InvalidFormat,
		"example.com:80":       InvalidFormat,
		"example.com\n":        InvalidFormat,
		"www.*.com":            InvalidFormat,
		"w*.example.com":       InvalidFormat,
		"*.*.example.com":      InvalidFormat,
		"*":                    InvalidFormat,
		"*.":                   InvalidFormat,
		"192.0.2.1":            InvalidFormat,
		"2001:db8::1":          InvalidFormat,
		"[2001:db8::1]":        InvalidFormat,
		"256.1.1.1":            InvalidFormat,
		"localhost":            NotIncluded,
		"web.localhost":        NotIncluded,
		"*.localhost":          NotIncluded,
		"internal":             NotIncluded,
		"web.example.internal": NotIncluded,
	} {
		if got := first(CheckDomain(name)); got != want {
			t.Errorf("%q: %q, not %q", name, got, want)
		}
	}
}

func TestADomainIsKeptInOneSpelling(t *testing.T) {
	for typed, kept := range map[string]string{
		"WWW.Example.COM":  "www.example.com",
		"example.com.":     "example.com",
		" example.com\n":   "example.com",
		"example.com..":    "example.com..", // is no name
		"*.Example.com.":   "*.example.com",
		"Bücher.de":        "xn--bcher-kva.de",
		"*.bücher.de":      "*.xn--bcher-kva.de",
		"bücher。de":        "xn--bcher-kva.de",
		"XN--Bcher-Kva.de": "xn--bcher-kva.de",
		"b\u00fc cher.de":  "b\u00fc cher.de",
		"":                 "",
	} {
		if got := CanonicalDomain(typed); got != kept {
			t.Errorf("%q: %q, not %q", typed, got, kept)
		}
	}
}

// Whatever is accepted can be written into a certificate, a DNS query and a routing table as it is.
func FuzzDomainsThatAreAcceptedAreSafeAndKeepTheirSpelling(f *testing.F) {
	for _, seed := range []string{"example.com", "*.Bücher.de.", "a..b", "192.0.2.1", "例。.", "K.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		name := CanonicalDomain(typed)
		if again := CanonicalDomain(name); again != name {
			t.Errorf("%q became %q, then %q", typed, name, again)
		}
		if CheckDomain(name) != nil {
			return
		}
		if len(name) > 253 || strings.Trim(strings.TrimPrefix(name, "*."), "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || !strings.Contains(name, ".") {
			t.Errorf("%q is accepted", name)
		}
	})
}

func TestTheNamesOfAnAppAreBuiltFromItsStage(t *testing.T) {
	ref := StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}
	hosts := Hosts{Domain: "apps.example.net", First: "demo"}
	if got := hosts.Default(ref, "web"); got != "web.production.shop.apps.example.net" {
		t.Error(got)
	}
	if got := hosts.Private(ref, "web"); got != "web.production.shop.apps.example.net.internal" {
		t.Error(got)
	}
}

func TestAppsOfOtherOrganizationsHaveItInTheirNames(t *testing.T) {
	ref := StageRef{ID: "s-2", Organization: "acme", Project: "shop", Name: "production"}
	hosts := Hosts{Domain: "apps.example.net", First: "demo"}
	if got := hosts.Default(ref, "web"); got != "web.production.shop.acme.apps.example.net" {
		t.Error(got)
	}
	if got := hosts.Private(ref, "web"); got != "web.production.shop.apps.example.net.internal" {
		t.Error(got)
	}
}

func TestACloneOfAnAppHasItsOwnDomains(t *testing.T) {
	a := NewApp("web")
	a.Domains = map[string]Domain{"example.com": {Primary: true}}
	a.Clone().Domains["example.com"] = Domain{Validated: true}
	if a.Domains["example.com"] != (Domain{Primary: true}) {
		t.Errorf("%+v", a.Domains)
	}
}
