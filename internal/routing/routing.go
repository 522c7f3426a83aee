// Package routing keeps the router's table a function of what is committed and of what runs: the public apps of each
// stage, at their hosts, with the tasks of the generation that serves. It holds no routes of its own; the router does.
// Start with Table.Refresh.
package routing

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/router"
	"github.com/setopsco/setops/internal/setops"
)

// Store says what is committed.
type Store interface {
	Spec(ctx context.Context, stageID string) (setops.Spec, error)
	Serving(ctx context.Context, stageID string) (map[string]plan.Generation, error)
}

// Tasks says what runs.
type Tasks interface {
	List(ctx context.Context, stageID, app string) ([]setops.Task, error)
}

// Router serves the table.
type Router interface {
	Set(owner string, routes router.Routes)
	Drain(ctx context.Context, upstreamID string) error
}

// Table joins them.
type Table struct {
	Domain string // public apps answer at APP.STAGE.PROJECT.Domain
	Store  Store
	Tasks  Tasks
	Router Router
	Logger *slog.Logger

	mu     sync.Mutex
	stages map[string]*stage
}

// stage is the committed half of a stage's routes, and the lock under which both halves are joined: two refreshes of one
// stage at the same time could otherwise set an older table last.
type stage struct {
	mu   sync.Mutex
	ref  setops.StageRef
	apps []app
}

type app struct {
	name, host, generation string
	check                  *setops.NetworkCheck
	port                   int
}

// Refresh reads the committed state of a stage and sets its routes: the switch of a commit, and the start of a server.
func (t *Table) Refresh(ctx context.Context, ref setops.StageRef) error {
	s := t.stage(ref)
	s.mu.Lock()
	defer s.mu.Unlock()
	spec, err := t.Store.Spec(ctx, ref.ID)
	if err != nil {
		return fmt.Errorf("read what to route: %w", err)
	}
	serving, err := t.Store.Serving(ctx, ref.ID)
	if err != nil {
		return fmt.Errorf("read what serves: %w", err)
	}
	s.apps = t.publicApps(ref, spec, serving)
	return t.set(ctx, s)
}

// TasksChanged sets the routes of a stage anew after some of its tasks have changed.
func (t *Table) TasksChanged(ctx context.Context, stageID string) {
	t.mu.Lock()
	s := t.stages[stageID]
	t.mu.Unlock()
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := t.set(ctx, s); err != nil && ctx.Err() == nil {
		t.Logger.Error("set routes", "stage", stageID, "error", err)
	}
}

// Remove takes a destroyed stage out of the table, for good: whoever sets its routes just now finds no apps any more.
func (t *Table) Remove(stageID string) {
	t.mu.Lock()
	s := t.stages[stageID]
	delete(t.stages, stageID)
	t.mu.Unlock()
	if s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.apps = nil
	}
	t.Router.Set(stageID, router.Routes{})
}

// Drain takes a task out of its route and returns when nothing is in flight to it, or when ctx ends. The engine says
// DEACTIVATING of the task by then, so that setting the routes anew is enough to take it out.
func (t *Table) Drain(ctx context.Context, task setops.Task) error {
	t.TasksChanged(ctx, task.StageID)
	return t.Router.Drain(ctx, task.ID)
}

func (t *Table) stage(ref setops.StageRef) *stage {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stages == nil {
		t.stages = map[string]*stage{}
	}
	if t.stages[ref.ID] == nil {
		t.stages[ref.ID] = &stage{ref: ref}
	}
	return t.stages[ref.ID]
}

func (t *Table) publicApps(ref setops.StageRef, spec setops.Spec, serving map[string]plan.Generation) []app {
	var apps []app
	for name, a := range spec.Apps {
		if !a.Network.Public || a.Network.Protocol != setops.HTTP {
			continue
		}
		apps = append(apps, app{
			name: name, host: Host(ref, name, t.Domain), generation: serving[name].ID,
			check: a.NetworkCheck(), port: a.Network.Port,
		})
	}
	return apps
}

// Host is where a public app answers.
func Host(ref setops.StageRef, app, domain string) string {
	return strings.Join([]string{app, ref.Name, ref.Project, domain}, ".")
}

// set joins the apps with the tasks that run. The stage is locked.
func (t *Table) set(ctx context.Context, s *stage) error {
	if len(s.apps) == 0 {
		t.Router.Set(s.ref.ID, router.Routes{})
		return nil
	}
	tasks, err := t.Tasks.List(ctx, s.ref.ID, "")
	if err != nil {
		return fmt.Errorf("list tasks: %w", err)
	}
	upstreams := map[string][]router.Upstream{}
	for _, task := range tasks {
		if task.Status == setops.Running && task.Address != "" && task.Generation != "" {
			upstreams[task.Generation] = append(upstreams[task.Generation], router.Upstream{ID: task.ID, Addr: task.Address})
		}
	}
	routes := make([]router.Route, 0, len(s.apps))
	for _, a := range s.apps {
		check, key := a.probe()
		routes = append(routes, router.Route{Host: a.host, Upstreams: upstreams[a.generation], Check: check, CheckKey: key})
	}
	t.Router.Set(s.ref.ID, router.Routes{HTTP: routes})
	return nil
}

// probe is the app's network health check as the router runs it.
func (a app) probe() (func(ctx context.Context, addr string) error, string) {
	status, err := probe.ParseStatus(a.check.Status)
	if err != nil { // the rule was checked when it was staged
		return nil, ""
	}
	check := probe.HTTP{Host: a.host, Path: a.check.Path, Status: status}
	return check.Probe, a.check.Path + " " + a.check.Status + " " + strconv.Itoa(a.port)
}
