package transact

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// dice decide what users do.
type dice struct{ *rand.Rand }

func dicesOf(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 4))} }

// in says yes once in n times.
func (d dice) in(n int) bool { return d.IntN(n) == 0 }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

var appNames = []string{"web", "api", "worker", "queue", "db"}

// command makes a command about the stage as a user has staged it: most apply, and few names meet often.
func (d dice) command(spec setops.Spec) changeset.Command {
	name := pick(d, appNames...)
	app := spec.Apps[name]
	if app == nil {
		return &changeset.AppCreate{AppName: name}
	}
	all := []func(*setops.App) changeset.Command{
		d.network, d.network, d.protocol, d.container, d.container, d.container, d.resources, d.resources, d.resources,
		d.env, d.env, d.env, d.domain, d.domain, d.domain, d.activation, d.activation, d.end,
	}
	return pick(d, all...)(app)
}

func (d dice) network(a *setops.App) changeset.Command {
	switch d.IntN(6) {
	case 0:
		return &changeset.NetworkSet{AppName: a.Name, Port: new(pick(d, 5000, 5001, 8080))}
	case 1:
		return &changeset.NetworkUnset{AppName: a.Name, Fields: []string{pick(d, "public", "port", "health_check_path", "health_check_status", "protocol")}}
	case 2:
		return &changeset.NetworkSet{AppName: a.Name, HealthCheckPath: new(pick(d, "/", "/up")), HealthCheckStatus: new(pick(d, "200", "200-299,301"))}
	}
	return &changeset.NetworkSet{AppName: a.Name, Public: new(!a.Network.Public)}
}

// protocol is refused for an app that is committed.
func (d dice) protocol(a *setops.App) changeset.Command {
	if a.Committed && !d.in(10) {
		return d.network(a)
	}
	return &changeset.NetworkSet{AppName: a.Name, Protocol: new(setops.TCP), Public: new(true)}
}

func (d dice) container(a *setops.App) changeset.Command {
	switch d.IntN(14) {
	case 12:
		return &changeset.ScheduleCreate{AppName: a.Name, Schedule: pick(d, "nightly", "hourly"), Cron: pick(d, "0 3 * * *", "0 * * * *"), Command: []string{"print", "it ran"}}
	case 13:
		return &changeset.ScheduleDestroy{AppName: a.Name, Schedule: pick(d, "nightly", "hourly")}
	case 0, 1:
		return &changeset.ContainerUnset{AppName: a.Name, Fields: []string{pick(d, "command", "entrypoint", "health_check", "start_timeout", "stop_timeout")}}
	case 2, 3:
		return &changeset.ContainerSet{AppName: a.Name, Command: pick(d, []string{"serve"}, []string{"print", "it's up", "serve"})}
	case 4: // it never starts
		return &changeset.ContainerSet{AppName: a.Name, Entrypoint: []string{"/no/such/program"}}
	case 5, 6, 7:
		return &changeset.ContainerSet{AppName: a.Name, HealthCheck: &changeset.HealthCheck{Command: []string{"true"}, Interval: new(1 + d.IntN(3))}}
	case 8: // it never passes
		return &changeset.ContainerSet{AppName: a.Name, HealthCheck: &changeset.HealthCheck{
			Command: []string{"false"}, Interval: new(1), Timeout: new(1), Retries: new(1), StartPeriod: new(0),
		}}
	case 9:
		return &changeset.ContainerSet{AppName: a.Name, StopTimeout: new(pick(d, 60, 90))}
	}
	return &changeset.ContainerSet{AppName: a.Name, StartTimeout: new(pick(d, 60, 120))}
}

func (d dice) resources(a *setops.App) changeset.Command {
	switch d.IntN(6) {
	case 0:
		return &changeset.ResourceUnset{AppName: a.Name, Fields: []string{pick(d, "cpu", "memory", "scale")}}
	case 1:
		return &changeset.ResourceSet{AppName: a.Name, CPU: new(128 * (1 + d.IntN(3))), Memory: new(128 * (1 + d.IntN(3)))}
	}
	return &changeset.ResourceSet{AppName: a.Name, Scale: new(d.IntN(4))}
}

func (d dice) env(a *setops.App) changeset.Command {
	if len(a.Env) > 0 && d.in(4) {
		return &changeset.EnvUnset{AppName: a.Name, Key: pick(d, slices.Sorted(maps.Keys(a.Env))...)}
	}
	return &changeset.EnvSet{
		AppName: a.Name, Key: pick(d, "A", "B", "C"), Value: setops.Sealed(fmt.Sprint("value ", d.IntN(4))), Description: pick(d, "", "", "why", "what for"),
	}
}

func (d dice) domain(a *setops.App) changeset.Command {
	if len(a.Domains) == 0 || d.in(4) {
		name := pick(d, "a.example", "b.example", "*.b.example")
		return &changeset.DomainCreate{AppName: a.Name, Domain: name, Primary: name[0] != '*' && d.in(3)}
	}
	name := pick(d, slices.Sorted(maps.Keys(a.Domains))...)
	switch d.IntN(6) {
	case 0:
		return &changeset.DomainDestroy{AppName: a.Name, Domain: name}
	case 1:
		return &changeset.DomainOptionSet{AppName: a.Name, Domain: name, Primary: new(d.in(2))}
	case 2:
		return &changeset.DomainOptionSet{AppName: a.Name, Domain: name, StaticIP: new(d.in(2))}
	case 3:
		return &changeset.DomainOptionUnset{AppName: a.Name, Domain: name, Fields: []string{pick(d, "primary", "static_ip")}}
	}
	return &changeset.DomainValidate{AppName: a.Name, Domain: name}
}

// activation brings a release back, sometimes behind a task, which may fail.
func (d dice) activation(a *setops.App) changeset.Command {
	if len(a.Releases) == 0 {
		return d.env(a)
	}
	return d.activate(a.Name, pick(d, a.Releases...).ID)
}

func (d dice) activate(app string, id int) changeset.Command {
	c := &changeset.ReleaseActivate{AppName: app, ID: id}
	switch d.IntN(10) {
	case 0, 1:
		c.Before = []string{"print", "migrated"}
	case 2:
		c.Before = []string{"exit", "1"}
	}
	return c
}

// end takes an app away, or what runs of it.
func (d dice) end(a *setops.App) changeset.Command {
	if d.in(2) && a.ActiveRelease != 0 {
		return &changeset.ReleaseDeactivate{AppName: a.Name}
	}
	return &changeset.AppDestroy{AppName: a.Name}
}
