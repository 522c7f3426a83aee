// Package routing keeps the router's table a function of what is committed and of what runs: the apps of each stage, at
// their public hosts, their private names and their TCP ports, with the tasks of the generation that serves. It holds no
// routes of its own; the router does.
//
// Start with Table.Refresh. What of an app is routed where is in app.go, the same as data for a router in routes.go, TCP ports are
// in ports.go.
package routing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
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
	// Set replaces all that an owner has in one switch.
	Set(owner string, routes Routes)
	// Drain returns when nothing is in flight to a task that no route has any more, or when ctx ends.
	Drain(ctx context.Context, owner, taskID string) error
}

// Remote is a Router in other processes: what was Set gets there by and by.
type Remote interface {
	Router
	// Reached returns when all of them have what was Set last.
	Reached(ctx context.Context, owner string) error
}

// Certificates is told which names need one.
type Certificates interface {
	Set(owner string, names []string)
}

// Table joins them.
type Table struct {
	Hosts  setops.Hosts // where public apps answer
	Store  Store
	Tasks  Tasks
	Router Router
	Remote Remote        // nil: Router is all that there is
	Fronts engine.Fronts // nil: the engine answers private names by itself
	Switch engine.Switch // nil: tasks are reached by our router alone
	Certs  Certificates  // nil: nothing is served by TLS
	Ports  *Ports        // nil: no TCP port is routed
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
	gone bool
}

// Refresh reads the committed state of a stage and sets its routes: the switch of a commit, and the start of a server.
// Names inside the stage, ports and certificates follow behind the switch; what fails there is logged and tried again by
// the next change, since nothing of it is a reason to take the switch back.
func (t *Table) Refresh(ctx context.Context, ref setops.StageRef) error {
	if err := t.refresh(ctx, t.stage(ref)); err != nil {
		return err
	}
	if t.Remote == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	if err := t.Remote.Reached(ctx, ref.ID); err != nil {
		t.Logger.Warn("a router may still lead requests as before", "stage", ref.ID, "error", err)
	}
	return nil
}

// reachLimit is how long the end of a switch waits for routers that do not answer.
const reachLimit = 10 * time.Second

func (t *Table) refresh(ctx context.Context, s *stage) error {
	ref := s.ref
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
	s.apps = appsOf(ref, spec, serving, t.Hosts)
	if err := t.set(ctx, s); err != nil {
		return err
	}
	t.follow(ctx, s)
	return t.lead(ctx, s)
}

// lead switches what leads requests to tasks besides our router. That is part of the switch: a generation that requests still come to
// may not be removed. The stage is locked.
func (t *Table) lead(ctx context.Context, s *stage) error {
	if t.Switch == nil || s.gone {
		return nil
	}
	ports, err := t.Ports.elsewhere(ctx, s.ref.ID)
	if err != nil {
		return fmt.Errorf("read the ports of apps: %w", err)
	}
	var served []engine.Served
	for _, a := range s.apps {
		served = append(served, a.served(ports))
	}
	return t.Switch.SetServed(ctx, s.ref.ID, served)
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
		s.apps, s.gone = nil, true
	}
	t.setAll(stageID, Routes{})
	if t.Ports != nil {
		t.Ports.Forget(stageID)
	}
	if t.Certs != nil {
		t.Certs.Set(stageID, nil)
	}
}

// Drain takes a task out of its route and returns when nothing is in flight to it, or when ctx ends. The engine says
// DEACTIVATING of the task by then, so that setting the routes anew is enough to take it out.
func (t *Table) Drain(ctx context.Context, task setops.Task) error {
	t.TasksChanged(ctx, task.StageID)
	if t.Remote == nil {
		return t.Router.Drain(ctx, task.StageID, task.ID)
	}
	var both sync.WaitGroup
	var far error
	both.Go(func() { far = t.Remote.Drain(ctx, task.StageID, task.ID) })
	near := t.Router.Drain(ctx, task.StageID, task.ID)
	both.Wait()
	return errors.Join(near, far)
}

func (t *Table) setAll(stageID string, routes Routes) {
	t.Router.Set(stageID, routes)
	if t.Remote != nil {
		t.Remote.Set(stageID, routes)
	}
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

// set joins the apps with the tasks that run, in one switch. The stage is locked.
func (t *Table) set(ctx context.Context, s *stage) error {
	if len(s.apps) == 0 {
		t.setAll(s.ref.ID, Routes{})
		return nil
	}
	tasks, err := t.Tasks.List(ctx, s.ref.ID, "")
	if err != nil {
		return fmt.Errorf("list tasks: %w", err)
	}
	serving := map[string][]Task{} // by generation
	for _, task := range tasks {
		if task.Status == setops.Running && task.Address != "" && task.Generation != "" {
			serving[task.Generation] = append(serving[task.Generation], Task{ID: task.ID, Address: task.Address})
		}
	}
	var routes Routes
	for _, a := range s.apps {
		r := a.route(serving[a.generation])
		if t.Fronts == nil { // requests inside the stage do not come by the router
			r.Private = ""
		}
		if r.isReached() {
			routes.Apps = append(routes.Apps, r)
		}
	}
	t.setAll(s.ref.ID, routes)
	return nil
}

// follow sees to what stands around the routes. The stage is locked.
func (t *Table) follow(ctx context.Context, s *stage) {
	if s.gone {
		return
	}
	var names []string
	var fronts []engine.Front
	for _, a := range s.apps {
		names = append(names, a.public...)
		fronts = append(fronts, a.front())
	}
	if t.Certs != nil {
		slices.Sort(names)
		t.Certs.Set(s.ref.ID, names)
	}
	if t.Fronts != nil {
		if err := t.Fronts.SetFronts(ctx, s.ref.ID, fronts); err != nil {
			t.Logger.Error("answer private names", "stage", s.ref.ID, "error", err)
		}
	}
	if t.Ports != nil {
		if err := t.Ports.Resume(ctx, s.ref.ID); err != nil {
			t.Logger.Error("listen on the TCP ports of apps", "stage", s.ref.ID, "error", err)
		}
	}
}
