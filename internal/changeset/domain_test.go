package changeset_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// withDomains is a stage whose app web has three domains and whose app shop has one of the same, validated there.
func withDomains() setops.Spec {
	s := stage()
	s.Apps["web"].Domains = map[string]setops.Domain{
		"example.com": {Primary: true, Validated: true}, "www.example.com": {StaticIP: true}, "taken.example.com": {},
	}
	s.Apps["shop"] = setops.NewApp("shop")
	s.Apps["shop"].Domains = map[string]setops.Domain{"taken.example.com": {Validated: true}}
	return s
}

func domainsAfter(t *testing.T, commands ...changeset.Command) map[string]setops.Domain {
	t.Helper()
	before := withDomains()
	after, problems := changeset.Fold(before, commands)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	if !reflect.DeepEqual(before, withDomains()) {
		t.Errorf("what was folded onto has changed: %s", dump(before))
	}
	return after.Apps["web"].Domains
}

func TestDomainsAreCreatedValidatedAndDestroyed(t *testing.T) {
	got := domainsAfter(t,
		&changeset.DomainCreate{AppName: "web", Domain: "*.example.org"},
		&changeset.DomainValidate{AppName: "web", Domain: "*.example.org"},
		&changeset.DomainDestroy{AppName: "web", Domain: "example.com"},
		&changeset.DomainCreate{AppName: "web", Domain: "example.com"}, // it has to be validated anew
	)
	want := map[string]setops.Domain{
		"*.example.org": {Validated: true}, "example.com": {}, "www.example.com": {StaticIP: true}, "taken.example.com": {},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestAnAppHasOnePrimaryDomainAtMost(t *testing.T) {
	created := domainsAfter(t, &changeset.DomainCreate{AppName: "web", Domain: "new.example.com", Primary: true})
	if !created["new.example.com"].Primary || created["example.com"].Primary || !created["example.com"].Validated {
		t.Errorf("created as primary: %+v", created)
	}
	moved := domainsAfter(t, &changeset.DomainOptionSet{AppName: "web", Domain: "www.example.com", Primary: new(true)})
	if !moved["www.example.com"].Primary || !moved["www.example.com"].StaticIP || moved["example.com"].Primary {
		t.Errorf("moved: %+v", moved)
	}
	for name, c := range map[string]changeset.Command{
		"set to false": &changeset.DomainOptionSet{AppName: "web", Domain: "example.com", Primary: new(false)},
		"unset":        &changeset.DomainOptionUnset{AppName: "web", Domain: "example.com", Fields: []string{"primary"}},
	} {
		if got := domainsAfter(t, c)["example.com"]; got != (setops.Domain{Validated: true}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	each(t, func(t *testing.T, r *rand.Rand) {
		after, _ := changeset.Fold(withDomains(), randomCommands(r))
		for name, a := range after.Apps {
			primaries := 0
			for _, d := range a.Domains {
				if d.Primary {
					primaries++
				}
			}
			if primaries > 1 || a.Network.Protocol == setops.TCP && len(a.Domains) > 0 {
				t.Errorf("app %s: %s", name, dump(after))
			}
		}
	})
}

func TestADomainIsValidatedForOneAppOnly(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand) {
		after, _ := changeset.Fold(withDomains(), append(randomCommands(r), randomCommands(r)...))
		owner := map[string]string{}
		for name, a := range after.Apps {
			for domain, d := range a.Domains {
				if d.Validated && owner[domain] != "" {
					t.Errorf("%s is validated for %s and for %s", domain, owner[domain], name)
				}
				if d.Validated {
					owner[domain] = name
				}
			}
		}
	})
	// It can move between two apps in one changeset.
	got := domainsAfter(t,
		&changeset.DomainDestroy{AppName: "shop", Domain: "taken.example.com"}, &changeset.DomainValidate{AppName: "web", Domain: "taken.example.com"})
	if !got["taken.example.com"].Validated {
		t.Errorf("%+v", got)
	}
	got = domainsAfter(t, &changeset.AppDestroy{AppName: "shop"}, &changeset.DomainValidate{AppName: "web", Domain: "taken.example.com"})
	if !got["taken.example.com"].Validated {
		t.Errorf("after the other app is destroyed: %+v", got)
	}
}

func TestDomainCommandsThatDoNotApplySayWhy(t *testing.T) {
	for name, test := range map[string]struct {
		command   changeset.Command
		code      setops.Code
		validator setops.Validator // "" for a StateError
		why       string
	}{
		"a name that is none":      {&changeset.DomainCreate{AppName: "web", Domain: "com"}, setops.ValidationFailed, setops.InvalidFormat, "at least one dot"},
		"an address":               {&changeset.DomainCreate{AppName: "web", Domain: "192.0.2.1"}, setops.ValidationFailed, setops.InvalidFormat, "IP address"},
		"localhost":                {&changeset.DomainCreate{AppName: "web", Domain: "a.localhost"}, setops.ValidationFailed, setops.NotIncluded, "localhost"},
		"one that the app has":     {&changeset.DomainCreate{AppName: "web", Domain: "example.com"}, setops.ValidationFailed, setops.Taken, "already"},
		"one of another app":       {&changeset.DomainCreate{AppName: "shop", Domain: "example.com"}, setops.ValidationFailed, setops.Taken, "another app"},
		"validated by another app": {&changeset.DomainValidate{AppName: "web", Domain: "taken.example.com"}, setops.ValidationFailed, setops.Taken, "another app"},
		"a tcp app":                {&changeset.DomainCreate{AppName: "proxy", Domain: "a.example.org"}, setops.ChangesetInvalid, "", "speaks tcp"},
		"tcp for an app with domains": {
			&changeset.NetworkSet{AppName: "shop", Protocol: new(setops.TCP)}, setops.ChangesetInvalid, "", "destroy them first",
		},
		"a wildcard as primary":       {&changeset.DomainCreate{AppName: "web", Domain: "*.example.org", Primary: true}, setops.ValidationFailed, setops.Invalid, "wildcard"},
		"no such domain to destroy":   {&changeset.DomainDestroy{AppName: "web", Domain: "gone.example.com"}, setops.ValidationFailed, setops.NotFound, "no custom domain"},
		"no such domain to validate":  {&changeset.DomainValidate{AppName: "web", Domain: "gone.example.com"}, setops.ValidationFailed, setops.NotFound, "no custom domain"},
		"no such domain to set":       {&changeset.DomainOptionSet{AppName: "web", Domain: "gone.example.com", Primary: new(true)}, setops.ValidationFailed, setops.NotFound, "no custom domain"},
		"nothing to set":              {&changeset.DomainOptionSet{AppName: "web", Domain: "example.com"}, setops.ValidationFailed, setops.Required, "name an option"},
		"unset of what is not there":  {&changeset.DomainOptionUnset{AppName: "web", Domain: "example.com", Fields: []string{"x"}}, setops.ValidationFailed, setops.NotIncluded, "cannot be unset"},
		"no such app":                 {&changeset.DomainCreate{AppName: "gone", Domain: "a.example.org"}, setops.AppDoesNotExist, "", "no app"},
		"nothing to unset of options": {&changeset.DomainOptionUnset{AppName: "web", Domain: "example.com"}, setops.ValidationFailed, setops.Required, "name what"},
	} {
		_, problems := changeset.Fold(withDomains(), []changeset.Command{test.command})
		if len(problems) != 1 || problems[0].Err.Code != test.code || !strings.Contains(problems[0].Error(), test.why) {
			t.Errorf("%s: %v", name, problems)
			continue
		}
		got := setops.Validator("")
		if vs := problems[0].Err.Violations; len(vs) > 0 {
			got = vs[0].Validator
		}
		if got != test.validator {
			t.Errorf("%s: %q, not %q", name, got, test.validator)
		}
	}
}

func TestAnAppHasAtMostAHundredDomains(t *testing.T) {
	var commands []changeset.Command
	for i := range 101 {
		commands = append(commands, &changeset.DomainCreate{AppName: "web", Domain: fmt.Sprintf("d%d.example.com", i)})
	}
	after, problems := changeset.Fold(stage(), commands)
	if len(problems) != 1 || problems[0].Index != 100 || len(after.Apps["web"].Domains) != 100 {
		t.Errorf("%d domains, problems %v", len(after.Apps["web"].Domains), problems)
	}
}

func TestDomainsAreDecodedInOneSpelling(t *testing.T) {
	for _, name := range []string{"create", "destroy", "validate", "option:set", "option:unset"} {
		c, err := changeset.Decode("app:domain:"+name, []byte(`{"name":"web","domain":"WWW.Bücher.de."}`))
		if err != nil || c.Arguments()["domain"] != "www.xn--bcher-kva.de" {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}

func TestArgumentsOfDomainsShowWhatWasTyped(t *testing.T) {
	for _, test := range []struct {
		command changeset.Command
		want    map[string]any
	}{
		{&changeset.DomainCreate{AppName: "web", Domain: "a.b"}, map[string]any{"name": "web", "domain": "a.b"}},
		{&changeset.DomainCreate{AppName: "web", Domain: "a.b", Primary: true}, map[string]any{"name": "web", "domain": "a.b", "primary": true}},
		{&changeset.DomainOptionSet{AppName: "web", Domain: "a.b", StaticIP: new(false)}, map[string]any{"name": "web", "domain": "a.b", "static_ip": false}},
		{&changeset.DomainOptionUnset{AppName: "web", Domain: "a.b", Fields: []string{"primary"}}, map[string]any{"name": "web", "domain": "a.b", "fields": []string{"primary"}}},
	} {
		if got := test.command.Arguments(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%T: %v", test.command, got)
		}
	}
}
