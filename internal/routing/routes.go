package routing

import (
	"context"
	"strconv"

	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/router"
	"github.com/setopsco/setops/internal/setops"
)

// Routes are all that a stage has in a router's table, as data: a router may be in another process.
type Routes struct {
	Apps []Route `json:"apps"`
}

// Route is an app: where it answers, and with which tasks.
type Route struct {
	App     string `json:"app"`
	TCP     bool   `json:"tcp,omitempty"`     // it speaks no http: it has a port instead of hosts
	Hosts   []Host `json:"hosts,omitempty"`   // public ones
	Private string `json:"private,omitempty"` // name inside the stage
	Check   *Check `json:"check,omitempty"`   // nil: nobody has promised anything of it
	Port    int    `json:"port"`              // of its tasks
	Tasks   []Task `json:"tasks,omitempty"`   // none: nothing of it is ready
}

// Host is a public name of an app.
type Host struct {
	Name     string `json:"name"`
	Redirect string `json:"redirect,omitempty"` // the host that its requests are sent on to
}

// Check is a network health check: a request, or a connection where there is no path.
type Check struct {
	Path   string `json:"path,omitempty"`
	Status string `json:"status,omitempty"` // as probe.ParseStatus reads it
}

// Task is one that answers.
type Task struct {
	ID      string `json:"id"`
	Address string `json:"address"` // HOST:PORT
}

// isReached reports whether any request comes by the router. Each of the app's tasks is asked all the time whether it answers.
func (r Route) isReached() bool { return r.TCP || len(r.Hosts) > 0 || r.Private != "" }

// Table is what a router serves of it.
func (r Routes) Table() router.Routes {
	var all router.Routes
	for _, app := range r.Apps {
		app.add(&all)
	}
	return all
}

func (r Route) add(all *router.Routes) {
	check, key := r.probe()
	upstreams := make([]router.Upstream, 0, len(r.Tasks))
	for _, t := range r.Tasks {
		upstreams = append(upstreams, router.Upstream{ID: t.ID, Addr: t.Address})
	}
	if r.TCP {
		all.TCP = append(all.TCP, router.Stream{
			Key: r.App, Upstreams: upstreams, Check: check, CheckKey: key, Unproven: r.Check == nil,
		})
		return
	}
	one := router.Route{Upstreams: upstreams, Check: check, CheckKey: key, Unproven: r.Check == nil}
	for _, host := range r.Hosts {
		one.Host, one.Redirect = host.Name, host.Redirect
		all.HTTP = append(all.HTTP, one)
	}
	if r.Private != "" {
		one.Host, one.Redirect, one.Private = r.Private, "", true
		all.HTTP = append(all.HTTP, one)
	}
}

// probe is the check as the router runs it. An app without one is asked only whether its port takes connections: nobody has
// promised that it does.
func (r Route) probe() (check func(ctx context.Context, addr string) error, key string) {
	port := strconv.Itoa(r.Port)
	if r.Check == nil || r.Check.Path == "" {
		return probe.TCP{}.Probe, "connect " + port
	}
	status, err := probe.ParseStatus(r.Check.Status)
	if err != nil { // the rule was checked when it was staged
		return nil, ""
	}
	host := r.Private
	if len(r.Hosts) > 0 {
		host = r.Hosts[0].Name
	}
	return probe.HTTP{Host: host, Path: r.Check.Path, Status: status}.Probe, r.Check.Path + " " + r.Check.Status + " " + port
}

// checkOf makes data of an app's network health check.
func checkOf(c *setops.NetworkCheck) *Check {
	switch {
	case c == nil:
		return nil
	case c.Protocol == setops.TCP:
		return &Check{}
	}
	return &Check{Path: c.Path, Status: c.Status}
}

// Local is the router of this process.
type Local struct{ Router *router.Router }

// Set implements Router.
func (l Local) Set(owner string, routes Routes) { l.Router.Set(owner, routes.Table()) }

// Drain implements Router.
func (l Local) Drain(ctx context.Context, _, taskID string) error { return l.Router.Drain(ctx, taskID) }
