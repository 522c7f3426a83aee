package routing

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/router"
	"github.com/setopsco/setops/internal/setops"
)

// privatePort is where http apps answer inside their stage.
const privatePort = 80

// app is what of one app is routed.
type app struct {
	name, generation string
	tcp              bool
	private          string          // name inside the stage
	public           []string        // hosts, where the app is public and speaks http: the default one and validated domains
	primary          string          // the host that the other public ones redirect to; "": none
	direct           map[string]bool // those that do not
	check            *setops.NetworkCheck
	port             int
}

func appsOf(ref setops.StageRef, spec setops.Spec, serving map[string]plan.Generation, at setops.Hosts) []app {
	var apps []app
	for _, name := range slices.Sorted(maps.Keys(spec.Apps)) {
		a := spec.Apps[name]
		one := app{
			name: name, generation: serving[name].ID, tcp: a.Network.Protocol == setops.TCP,
			private: at.Private(ref, name), check: a.NetworkCheck(), port: a.Network.Port,
		}
		if a.Network.Public && !one.tcp {
			one.public, one.primary = hosts(a, at.Default(ref, name))
			one.direct = direct(a)
		}
		apps = append(apps, one)
	}
	return apps
}

// direct gives the domains that answer by themselves, whatever the primary one is.
func direct(a *setops.App) map[string]bool {
	all := map[string]bool{}
	for name, d := range a.Domains {
		all[name] = d.Direct
	}
	return all
}

// hosts gives where a public app answers, and which of these is the one that the others redirect to. Domains that are not
// validated count for nothing.
func hosts(a *setops.App, byDefault string) (all []string, primary string) {
	all = []string{byDefault}
	for _, name := range slices.Sorted(maps.Keys(a.Domains)) {
		d := a.Domains[name]
		if !d.Validated {
			continue
		}
		all = append(all, name)
		if d.Primary {
			primary = name
		}
	}
	return all, primary
}

// route adds what the app has in the router's table.
func (a app) route(routes *router.Routes, upstreams []router.Upstream) {
	check, key := a.probe()
	unproven := a.check == nil
	if a.tcp {
		routes.TCP = append(routes.TCP, router.Stream{
			Key: a.name, Upstreams: upstreams, Check: check, CheckKey: key, Unproven: unproven,
		})
		return
	}
	one := router.Route{Upstreams: upstreams, Check: check, CheckKey: key, Unproven: unproven}
	for _, host := range a.public {
		one.Host, one.Redirect = host, ""
		if a.primary != "" && host != a.primary && !a.direct[host] {
			one.Redirect = a.primary
		}
		routes.HTTP = append(routes.HTTP, one)
	}
	one.Host, one.Redirect, one.Private = a.private, "", true
	routes.HTTP = append(routes.HTTP, one)
}

// probe is the app's network health check as the router runs it. An app without one is asked only whether its port takes
// connections: nobody has promised that it does.
func (a app) probe() (check func(ctx context.Context, addr string) error, key string) {
	port := strconv.Itoa(a.port)
	if a.check == nil || a.check.Protocol == setops.TCP {
		return probe.TCP{}.Probe, "connect " + port
	}
	status, err := probe.ParseStatus(a.check.Status)
	if err != nil { // the rule was checked when it was staged
		return nil, ""
	}
	host := a.private
	if len(a.public) > 0 {
		host = a.public[0]
	}
	return probe.HTTP{Host: host, Path: a.check.Path, Status: status}.Probe, a.check.Path + " " + a.check.Status + " " + port
}

// front is how the app answers inside its stage.
func (a app) front() engine.Front {
	f := engine.Front{Host: a.private, App: a.name, Protocol: setops.HTTP, Port: privatePort}
	if a.tcp {
		f.Protocol, f.Port = setops.TCP, a.port
	}
	return f
}

// served is where the app's requests go that do not come by our router.
func (a app) served() engine.Served {
	f := a.front()
	return engine.Served{App: a.name, Generation: a.generation, Protocol: f.Protocol, Port: f.Port}
}
