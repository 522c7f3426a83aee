package routing

import (
	"maps"
	"slices"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
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
	outside          string // where the app is public and speaks tcp: its host
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
		if a.NeedsPort() {
			one.outside = at.Default(ref, name)
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

// route is what the app has in the router's table.
func (a app) route(tasks []Task) Route {
	r := Route{App: a.name, TCP: a.tcp, Check: checkOf(a.check), Port: a.port, Tasks: tasks}
	if a.tcp {
		return r
	}
	r.Private = a.private
	for _, name := range a.public {
		host := Host{Name: name}
		if a.primary != "" && name != a.primary && !a.direct[name] {
			host.Redirect = a.primary
		}
		r.Hosts = append(r.Hosts, host)
	}
	return r
}

// front is how the app answers inside its stage.
func (a app) front() engine.Front {
	f := engine.Front{Host: a.private, App: a.name, Protocol: setops.HTTP, Port: privatePort}
	if a.tcp {
		f.Protocol, f.Port = setops.TCP, a.port
	}
	return f
}

// served is where the app's requests go that do not come by our router. Of ports there are those that others than we listen on.
func (a app) served(ports map[string]int) engine.Served {
	f := a.front()
	s := engine.Served{App: a.name, Host: a.private, Generation: a.generation, Protocol: f.Protocol, Port: f.Port}
	for _, host := range a.route(nil).Hosts {
		s.Public = append(s.Public, engine.Host(host))
	}
	if port := ports[a.name]; a.outside != "" && port > 0 {
		s.Stream = &engine.Stream{Host: a.outside, Port: port}
	}
	return s
}
