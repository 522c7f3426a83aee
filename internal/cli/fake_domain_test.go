package cli_test

import (
	"encoding/json"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

// domains are those of the screens: app web is public and has three of its own, app bare speaks tcp, app inside is not
// public.
func domains(app string) []api.Domain {
	outside := api.Domain{Address: app + ".production.shop.apps.example.net", Kind: "default", Validated: true, Public: true}
	private := api.Domain{Address: outside.Address + ".internal", Kind: "private", Validated: true, Public: true, Port: 80}
	switch app {
	case "bare":
		outside.Port, private.Port = 20003, 5000
		return []api.Domain{outside, private}
	case "inside":
		outside.Public, private.Public = false, false
		ours := custom(outside, "example.com", "bf54355ea06621c5", "5a892a6631c5d51b")
		ours.Validated = true
		return []api.Domain{ours, outside, private}
	}
	primary := custom(outside, "example.com", "bf54355ea06621c5", "5a892a6631c5d51b")
	primary.Primary = true
	primary.Alternatives = []api.DNSRecord{
		{Name: "example.com", Type: "A", Values: []string{"192.0.2.1", "192.0.2.2"}},
		{Name: "example.com", Type: "AAAA", Values: []string{"2001:db8::1"}},
	}
	failed := custom(outside, "www.example.com", "0123456789abcdef", "fedcba9876543210")
	failed.Validated, failed.StaticIP, failed.RedirectToPrimary = true, true, false
	failed.Certificate = &api.DomainTLS{State: "failed", Reason: "the authority found no A record\nfor it"}
	wildcard := custom(outside, "*.example.com", "1111222233334444", "5555666677778888")
	outside.Certificate = &api.DomainTLS{State: "ready"}
	return []api.Domain{primary, wildcard, failed, outside, private}
}

func custom(outside api.Domain, name, label, value string) api.Domain {
	return api.Domain{
		Address: name, Kind: "custom", Public: outside.Public, RedirectToPrimary: true,
		Record: &api.DNSRecord{Name: name, Type: "CNAME", Values: []string{outside.Address}},
		Validation: &api.DNSRecord{
			Name: "_" + label + "." + strings.TrimPrefix(name, "*.") + ".", Type: "CNAME", Values: []string{"_" + value + ".validation.apps.example.net."},
		},
	}
}

// domainEffect answers with the domain as the command leaves it; example.com was the primary one.
func domainEffect(e *api.Effect, c api.Command) {
	var a api.DomainOptionSet
	_ = json.Unmarshal(c.Arguments, &a)
	e.CustomDomain = &api.CustomDomain{Address: strings.ToLower(a.Domain), Validated: c.Name == "app:domain:validate"}
	if a.Primary != nil && *a.Primary {
		e.CustomDomain.Primary = true
		e.FormerPrimary = "example.com"
	}
	if !strings.Contains(c.Name, "option") {
		e.Primary = nil
	}
}
