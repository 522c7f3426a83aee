package httpapi

import (
	"context"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/domain"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/staging"
	"github.com/setopsco/setops/pkg/api"
)

type domainList struct {
	Domains []api.Domain `json:"domains"`
}

func (s *Server) listDomains(ctx context.Context, in *InApp) (*answer[domainList], error) {
	_, ref, a, err := s.app(ctx, *in)
	if err != nil {
		return nil, err
	}
	entries, err := s.Domains.List(ctx, ref, a)
	list := domainList{Domains: make([]api.Domain, 0, len(entries))}
	for _, e := range entries {
		list.Domains = append(list.Domains, wireDomain(a, e))
	}
	return answered(list), err
}

func wireDomain(a *setops.App, e domain.Entry) api.Domain {
	wire := api.Domain{
		Address: e.Address, Kind: string(e.Kind), Primary: e.Primary, Validated: e.Validated, StaticIP: e.StaticIP,
		RedirectToPrimary: e.Kind != domain.Private && !e.Direct,
		Record:            wireRecord(e.Record), Validation: wireRecord(e.Validation), Port: e.Port, Public: a.Network.Public,
	}
	for _, r := range e.Alternatives {
		wire.Alternatives = append(wire.Alternatives, *wireRecord(r))
	}
	if e.Certificate != "" {
		wire.Certificate = &api.DomainTLS{State: e.Certificate, Reason: e.Reason}
	}
	return wire
}

func wireRecord(r domain.Record) *api.DNSRecord {
	if r.Name == "" {
		return nil
	}
	return &api.DNSRecord{Name: r.Name, Type: r.Type, Values: r.Values}
}

func wireCustomDomains(a *setops.App) []api.CustomDomain {
	all := make([]api.CustomDomain, 0, len(a.Domains))
	for _, name := range domain.Names(a) {
		all = append(all, *customDomain(a, name))
	}
	return all
}

// customDomain gives a domain of an app, nil where it has none of that name.
func customDomain(a *setops.App, name string) *api.CustomDomain {
	d, ok := a.Domains[name]
	if !ok {
		return nil
	}
	return &api.CustomDomain{Address: name, Primary: d.Primary, Validated: d.Validated}
}

// domainEffect adds what a command about a domain sets, and which other domain stops being the primary one by it.
func domainEffect(e *api.Effect, r staging.Result) {
	if r.App == nil {
		return
	}
	var name string
	switch c := r.Command.(type) {
	case *changeset.DomainCreate:
		name = c.Domain
	case *changeset.DomainDestroy:
		name = c.Domain
		e.CustomDomain = &api.CustomDomain{Address: name}
		return
	case *changeset.DomainValidate:
		name = c.Domain
	case *changeset.DomainOptionSet:
		name = c.Domain
		domainOptions(e, r.App.Domains[name], map[string]bool{
			"primary": c.Primary != nil, "static_ip": c.StaticIP != nil, "redirect_to_primary": c.RedirectToPrimary != nil,
		})
	case *changeset.DomainOptionUnset:
		name = c.Domain
		for _, f := range c.Fields {
			domainOptions(e, r.App.Domains[name], map[string]bool{f: true})
		}
	default:
		return
	}
	e.CustomDomain = customDomain(r.App, name)
	e.FormerPrimary = deposed(r.Before, name, e.CustomDomain)
}

func domainOptions(e *api.Effect, d setops.Domain, touched map[string]bool) {
	if touched["primary"] {
		e.Primary = &d.Primary
	}
	if touched["static_ip"] {
		e.StaticIP = &d.StaticIP
	}
	if touched["redirect_to_primary"] {
		e.RedirectToPrimary = new(!d.Direct)
	}
}

// deposed names the primary domain that an app had before another became it.
func deposed(before *setops.App, name string, now *api.CustomDomain) string {
	if before == nil || now == nil || !now.Primary {
		return ""
	}
	for other, d := range before.Domains {
		if d.Primary && other != name {
			return other
		}
	}
	return ""
}
