package definition

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Inputs are what a definition is read with.
type Inputs struct {
	Stage   setops.StageRef
	Secrets map[string]string // by name: what references stand for
	// Seal seals the value of a variable. The same value of the same variable gives the same.
	Seal func(app, key, value string) setops.Sealed
}

// Target gives what the stage shall be, whose committed state is from. Images are left as they are: see Activate. What can be told
// without folding is checked; Commands checks the rest. Errors: as Refuse.
func (d *Document) Target(from setops.Spec, in Inputs) (setops.Spec, error) {
	t := target{doc: d, in: in}
	t.scope()
	spec := setops.Spec{Apps: make(map[string]*setops.App, len(d.Apps)), LogRetention: t.positive("log_retention", d.LogRetention, "retention")}
	for _, name := range slices.Sorted(maps.Keys(d.Apps)) {
		spec.Apps[name] = t.app(name, d.Apps[name], from.Apps[name])
	}
	return spec, Refuse(d.File, t.problems)
}

// target is one call of Target.
type target struct {
	doc      *Document
	in       Inputs
	problems []Problem
}

func (t *target) problem(field string, v setops.Validator, format string, args ...any) {
	t.problems = append(t.problems, Problem{Place: t.doc.At(field), Field: field, Validator: v, Message: fmt.Sprintf(format, args...)})
}

// scope refuses a file that says of itself that it is for another stage.
func (t *target) scope() {
	for _, s := range []struct{ field, says, is string }{
		{"project", t.doc.Project, t.in.Stage.Project}, {"stage", t.doc.Stage, t.in.Stage.Name},
	} {
		if s.says != "" && s.says != s.is {
			t.problem(s.field, setops.Invalid, "the file is for %s %s, and is applied to %s %s; change the line, or leave it out", s.field, s.says, s.field, s.is)
		}
	}
}

func (t *target) app(name string, d App, was *setops.App) *setops.App {
	field := "apps." + name
	app := setops.NewApp(name)
	if was == nil {
		was = app
	}
	app.Committed, app.Releases, app.ActiveRelease = was.Committed, slices.Clone(was.Releases), was.ActiveRelease
	app.Container = t.container(field+".container", d.Container)
	app.Network = t.network(field+".network", d.Network, was)
	app.Resources = setops.Resources{
		CPU: or(d.Resources.CPU, setops.DefaultCPU), Memory: or(d.Resources.Memory, DefaultMemory), Scale: or(d.Resources.Scale, setops.DefaultScale),
	}
	app.Env = t.env(field+".env", d.Env, app, was)
	app.Schedules = t.schedules(field+".schedule", d.Schedule)
	app.Domains = t.domains(field+".custom_domains", d.CustomDomains, was)
	return app
}

func or(value *int, preset int) int {
	if value == nil {
		return preset
	}
	return *value
}

func (t *target) container(field string, d Container) setops.Container {
	c := setops.Container{
		Command: some(d.Command), Entrypoint: some(d.Entrypoint),
		StartTimeout: t.positive(field+".timeouts.start_timeout", d.Timeouts.StartTimeout, "timeout"),
		StopTimeout:  t.positive(field+".timeouts.stop_timeout", d.Timeouts.StopTimeout, "timeout"),
	}
	if h := d.HealthCheck; h != nil {
		c.HealthCheck = &setops.HealthCheck{
			Command: h.Command, Interval: or(h.Interval, setops.DefaultInterval), Timeout: or(h.Timeout, setops.DefaultTimeout),
			Retries: or(h.Retries, setops.DefaultRetries), StartPeriod: or(h.StartPeriod, setops.DefaultStartPeriod),
		}
	}
	return c
}

// positive refuses 0 here: in a spec it means that nothing was set.
func (t *target) positive(field string, value *int, what string) int {
	if value != nil && *value == 0 {
		t.problem(field, setops.GreaterThanOrEqual, "0 is no %s; leave it out for the default", what)
	}
	return or(value, 0)
}

func (t *target) schedules(field string, d map[string]Schedule) map[string]setops.Schedule {
	var all map[string]setops.Schedule
	for _, name := range slices.Sorted(maps.Keys(d)) {
		s := setops.Schedule{Cron: d[name].Cron, Command: d[name].Command, Timeout: setops.DefaultScheduleTimeout}
		if text := d[name].Timeout; text != "" {
			limit, err := time.ParseDuration(text)
			if err != nil || limit%time.Second != 0 {
				t.problem(field+"."+name+".timeout", setops.InvalidFormat, "%q is no time in whole seconds; write it as 90s, 10m or 1h30m", shorten(text))
			}
			s.Timeout = int(limit / time.Second)
		}
		if all == nil {
			all = make(map[string]setops.Schedule, len(d))
		}
		all[name] = s
	}
	return all
}

// some is nil for an empty list, as for none.
func some(words []string) []string {
	if len(words) == 0 {
		return nil
	}
	return words
}

func (t *target) network(field string, d Network, was *setops.App) setops.Network {
	n := setops.Network{
		Protocol: setops.HTTP, Public: d.Public, Port: setops.DefaultPort,
		HealthCheckPath: d.HealthCheck.Path, HealthCheckStatus: d.HealthCheck.Status,
	}
	if d.Protocol != "" {
		n.Protocol = setops.Protocol(d.Protocol)
	}
	if len(d.Ports) > 0 {
		n.Port = d.Ports[0]
	}
	if was.Committed && n.Protocol != was.Network.Protocol {
		t.problem(field+".protocol", setops.Invalid, "the protocol of app %s is %s since its first commit and cannot change any more; make another app for %s",
			was.Name, was.Network.Protocol, n.Protocol)
	}
	return n
}

// env expands and seals values.
func (t *target) env(field string, d map[string]Variable, app, was *setops.App) map[string]setops.EnvVar {
	var all map[string]setops.EnvVar
	for _, key := range slices.Sorted(maps.Keys(d)) {
		v, ok := t.variable(field+"."+key, key, d[key], was)
		if !ok {
			continue
		}
		if all == nil {
			all = make(map[string]setops.EnvVar, len(d))
		}
		all[key] = v
	}
	return all
}

func (t *target) variable(field, key string, d Variable, was *setops.App) (v setops.EnvVar, ok bool) {
	if d.Value == nil {
		t.problem(field, setops.Required, `it has no value; write {value: "…"}`)
		return v, false
	}
	value, err := expand(*d.Value, t.in.Secrets)
	if err != nil {
		t.problem(field+".value", setops.InvalidFormat, "%s", err)
		return v, false
	}
	v.Description, v.Secret = d.Description, value.secret
	if len(value.unknown) > 0 {
		if kept := was.Env[key]; kept.Secret && value.whole {
			v.Value = kept.Value
			return v, true
		}
		t.problem(field+".value", setops.NotFound, "%s", noSecret(was.Name, key, value))
		return v, false
	}
	for _, broken := range setops.CheckEnvValue(key, value.value) {
		t.problem(field+".value", broken.Validator, "%s", broken.Message)
	}
	v.Value = t.in.Seal(was.Name, key, value.value)
	return v, true
}

// noSecret says where the value of a reference could have come from.
func noSecret(app, key string, value text) string {
	var variables []string
	for _, name := range value.unknown {
		if v := SecretVariable + name; !slices.Contains(variables, v) {
			variables = append(variables, v)
		}
	}
	way := fmt.Sprintf("set %s in the environment of setops", strings.Join(variables, " and "))
	if !value.whole {
		return "its secrets are not known: " + way
	}
	return fmt.Sprintf("app %s has no secret value of %s that could be kept: %s, or commit `setops --app %s env:set --secret %s=…` first",
		app, key, way, app, key)
}

// SecretVariable begins the name of a variable of the environment of setops that says what a secret is.
const SecretVariable = "SETOPS_SECRET_"

func (t *target) domains(field string, d map[string]CustomDomain, was *setops.App) map[string]setops.Domain {
	var all map[string]setops.Domain
	primary := ""
	for _, written := range slices.Sorted(maps.Keys(d)) {
		name := setops.CanonicalDomain(written)
		if _, twice := all[name]; twice {
			t.problem(field+"."+written, setops.Taken, "the domain %s is here twice", name)
		}
		if d[written].Primary && primary != "" {
			t.problem(field+"."+written+".primary", setops.Taken, "an app has one primary domain, and %s is it already", primary)
		}
		if d[written].Primary {
			primary = name
		}
		if all == nil {
			all = make(map[string]setops.Domain, len(d))
		}
		all[name] = setops.Domain{
			Primary: d[written].Primary, StaticIP: d[written].StaticIP,
			Direct:    d[written].RedirectToPrimary != nil && !*d[written].RedirectToPrimary,
			Validated: d[written].Validated || was.Domains[name].Validated,
		}
	}
	return all
}
