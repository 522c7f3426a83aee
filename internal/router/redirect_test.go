package router_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/router"
)

func secureHosts(hosts ...string) func(string) bool {
	return func(host string) bool {
		for _, h := range hosts {
			if h == host {
				return true
			}
		}
		return false
	}
}

// location asks for a target and returns where that is sent on to.
func (f *front) location(t *testing.T, host, target string, header ...string) (code int, location string) {
	t.Helper()
	req := f.request(t, host, target, nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, _ := f.do(t, req)
	return res.StatusCode, res.Header.Get("Location")
}

func TestRequestsAreSentOnToThePrimaryHostAndToTLS(t *testing.T) {
	f := newFront(t, router.Config{Secure: secureHosts("safe.example.com", "primary.example.com"), HTTPSPort: 8443})
	up := named(t, "a")
	f.Set("stage", []router.Route{
		{Host: "plain.example.com", Upstreams: []router.Upstream{up}},
		{Host: "safe.example.com", Upstreams: []router.Upstream{up}},
		{Host: "alias.example.com", Redirect: "Plain.example.com"},
		{Host: "*.alias.example.com", Redirect: "plain.example.com"},
		{Host: "to-safe.example.com", Redirect: "primary.example.com"},
	})
	tests := []struct{ host, target, location string }{
		{"plain.example.com", "/", ""},
		{"safe.example.com", "/a%2Fb//c?x=1;y=%zz", "https://safe.example.com:8443/a%2Fb//c?x=1;y=%zz"},
		{"SAFE.example.com:8080", "/?", "https://safe.example.com:8443/?"},
		{"alias.example.com", "/path?q", "http://plain.example.com/path?q"},
		{"alias.example.com:8080", "//evil.com/", "http://plain.example.com:8080//evil.com/"},

		{"a.alias.example.com", "/", "http://plain.example.com/"},
		{"to-safe.example.com:80", "/", "https://primary.example.com:8443/"},
	}
	for _, test := range tests {
		code, location := f.location(t, test.host, test.target)
		if want := test.location != ""; location != test.location || (code == http.StatusPermanentRedirect) != want {
			t.Errorf("%s%s answered %d %q, want %q", test.host, test.target, code, location, test.location)
		}
	}
	if code, _ := f.location(t, "unknown.example.com", "/"); code != http.StatusNotFound {
		t.Errorf("an unknown host answered %d", code)
	}
}

func TestTheUsualPortIsLeftOutOfARedirect(t *testing.T) {
	f := newFront(t, router.Config{Secure: secureHosts(testHost)})
	f.Set("stage", route(testHost, named(t, "a")))
	if _, location := f.location(t, testHost+":8080", "/x"); location != "https://"+testHost+"/x" {
		t.Errorf("location is %q", location)
	}
}

func TestOnlyATrustedProxyCanSayThatTheClientSpeaksTLS(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		config := router.Config{Secure: secureHosts(testHost)}
		if trusted {
			config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		}
		f := newFront(t, config)
		f.Set("stage", append(route(testHost, named(t, "a")), router.Route{Host: "alias.localhost", Redirect: "other.localhost"}))
		want, wantAlias := http.StatusPermanentRedirect, "http://other.localhost/"
		if trusted {
			want, wantAlias = http.StatusOK, "https://other.localhost/"
		}
		if code, _ := f.location(t, testHost, "/", "X-Forwarded-Proto", "https"); code != want {
			t.Errorf("trusted %t: answered %d", trusted, code)
		}
		if _, location := f.location(t, "alias.localhost", "/", "X-Forwarded-Proto", "https"); location != wantAlias {
			t.Errorf("trusted %t: sent on to %q", trusted, location)
		}
		if code, _ := f.location(t, testHost, "/", "X-Forwarded-Proto", "http"); code != http.StatusPermanentRedirect {
			t.Errorf("trusted %t: a plain request answered %d", trusted, code)
		}
	}
}

func TestAHostThatIsItsOwnRedirectIsNoEndlessOne(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", []router.Route{{Host: testHost, Redirect: strings.ToUpper(testHost)}})
	if code, location := f.location(t, testHost, "/"); code != http.StatusServiceUnavailable || location != "" {
		t.Errorf("answered %d %q", code, location)
	}
}
