package domain

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/setopsco/setops/internal/setops"
)

// Kind is where a domain of an app comes from.
type Kind string

// The kinds of domains.
const (
	Custom  Kind = "custom"  // its users gave it to the app
	Default Kind = "default" // every app has it; it answers while the app is public
	Private Kind = "private" // every app has it; it answers inside the stage
)

// Entry is one domain of an app.
type Entry struct {
	Address string
	Kind    Kind
	setops.Domain
	Record       Record   // custom: leads to this server
	Alternatives []Record // custom: lead to it too, where its addresses are known
	Validation   Record   // custom: proves whose it is
	Port         int      // the router's port of a public tcp app, where it has one; inside the stage 80, or the port of a tcp app
	Certificate  string   // ready, ordering or failed; empty: none is wanted
	Reason       string   // why it failed
}

// List gives the committed domains of an app: custom ones, the primary first and then by name, its default and its
// private one.
func (s *Service) List(ctx context.Context, stage setops.StageRef, app *setops.App) ([]Entry, error) {
	var all []Entry
	host := s.Hosts.Default(stage, app.Name)
	for _, name := range Names(app) {
		e := Entry{
			Address: name, Kind: Custom, Domain: app.Domains[name],
			Record:       Record{Name: name, Type: "CNAME", Values: []string{host}},
			Alternatives: s.alternatives(name), Validation: s.Validation(stage, app.Name, name),
		}
		if e.Validated {
			s.addCertificate(&e)
		}
		all = append(all, e)
	}
	outside := Entry{Address: host, Kind: Default, Domain: setops.Domain{Validated: true}}
	if app.Network.Public && app.Network.Protocol == setops.TCP {
		ports, err := s.Store.Ports(ctx, stage.ID)
		if err != nil {
			return nil, fmt.Errorf("read ports: %w", err)
		}
		outside.Port = ports[app.Name]
	}
	if app.Network.Public && app.Network.Protocol == setops.HTTP {
		s.addCertificate(&outside)
	}
	inside := Entry{Address: s.Hosts.Private(stage, app.Name), Kind: Private, Domain: setops.Domain{Validated: true}, Port: privatePort(app)}
	return append(all, outside, inside), nil
}

// Names lists the custom domains of an app, the primary first.
func Names(app *setops.App) []string {
	return slices.SortedFunc(maps.Keys(app.Domains), func(a, b string) int {
		if app.Domains[a].Primary != app.Domains[b].Primary {
			return map[bool]int{true: -1, false: 1}[app.Domains[a].Primary]
		}
		return cmp.Compare(a, b)
	})
}

func (s *Service) addCertificate(e *Entry) {
	if s.Certificates == nil {
		return
	}
	state, reason := s.Certificates.Status(e.Address)
	e.Certificate = state
	if reason != nil {
		e.Reason = reason.Error()
	}
}

// privatePort is where an app answers inside its stage: http at the port that needs no mention.
func privatePort(app *setops.App) int {
	if app.Network.Protocol == setops.HTTP {
		return 80
	}
	return app.Network.Port
}
