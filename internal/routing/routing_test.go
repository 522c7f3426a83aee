package routing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/router"
	"github.com/setopsco/setops/internal/setops"
)

// world is a store, an engine and a router that keeps what it was told.
type world struct {
	mu      sync.Mutex
	apps    map[string]*setops.App
	serving map[string]plan.Generation
	tasks   []setops.Task
	fault   error
	routes  map[string][]router.Route
	drained []string
}

func (w *world) Spec(context.Context, string) (setops.Spec, error) {
	return setops.Spec{Apps: w.apps}, w.fault
}

func (w *world) Serving(context.Context, string) (map[string]plan.Generation, error) {
	return w.serving, w.fault
}

func (w *world) List(context.Context, string, string) ([]setops.Task, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.tasks), w.fault
}

func (w *world) Set(owner string, routes []router.Route) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.routes[owner] = routes
}

func (w *world) Drain(_ context.Context, id string) error {
	w.drained = append(w.drained, id)
	return nil
}

// said gives the routes of the stage a line each.
func (w *world) said() string {
	var lines []string
	for _, r := range w.routes["s"] {
		var ids []string
		for _, u := range r.Upstreams {
			ids = append(ids, u.ID+"="+u.Addr)
		}
		lines = append(lines, fmt.Sprintf("%s → %s", r.Host, strings.Join(ids, " ")))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

var stageRef = setops.StageRef{ID: "s", Organization: "demo", Project: "shop", Name: "production"}

func public(name string) *setops.App {
	app := setops.NewApp(name)
	app.Network.Public = true
	return app
}

func task(id, generation string, status setops.TaskStatus) setops.Task {
	return setops.Task{ID: id, StageID: "s", Generation: generation, Status: status, Address: "10.0.0.1:5000"}
}

func newTable() (*Table, *world) {
	w := &world{
		apps:    map[string]*setops.App{"web": public("web"), "worker": setops.NewApp("worker")},
		serving: map[string]plan.Generation{"web": {ID: "web-1"}, "worker": {ID: "worker-1"}},
		routes:  map[string][]router.Route{},
	}
	return &Table{Domain: "localhost", Store: w, Tasks: w, Router: w, Logger: slog.New(slog.DiscardHandler)}, w
}

func TestOnlyRunningTasksOfWhatServesAreRouted(t *testing.T) {
	table, w := newTable()
	w.tasks = []setops.Task{
		task("old", "web-0", setops.Running), task("new", "web-1", setops.Running), task("starting", "web-1", setops.Activating),
		task("leaving", "web-1", setops.Deactivating), task("private", "worker-1", setops.Running), task("once", "", setops.Running),
	}
	if err := table.Refresh(t.Context(), stageRef); err != nil {
		t.Fatal(err)
	}
	if got, want := w.said(), "web.production.shop.localhost → new=10.0.0.1:5000"; got != want {
		t.Errorf("got %s, not %s", got, want)
	}
}

func TestTheSwitchMovesEveryAppAtOnce(t *testing.T) {
	table, w := newTable()
	w.apps["shop"] = public("shop")
	w.serving["shop"] = plan.Generation{ID: "shop-1"}
	w.tasks = []setops.Task{
		task("w1", "web-1", setops.Running), task("w2", "web-2", setops.Running),
		task("s1", "shop-1", setops.Running), task("s2", "shop-2", setops.Running),
	}
	if err := table.Refresh(t.Context(), stageRef); err != nil {
		t.Fatal(err)
	}
	w.serving = map[string]plan.Generation{"web": {ID: "web-2"}, "shop": {ID: "shop-2"}}
	table.TasksChanged(t.Context(), "s")
	if strings.Contains(w.said(), "w2") {
		t.Error("a change of tasks has switched what is not committed")
	}
	if err := table.Refresh(t.Context(), stageRef); err != nil {
		t.Fatal(err)
	}
	if got, want := w.said(), "shop.production.shop.localhost → s2=10.0.0.1:5000\nweb.production.shop.localhost → w2=10.0.0.1:5000"; got != want {
		t.Errorf("got %s, not %s", got, want)
	}
}

func TestAPublicAppWithoutTasksKeepsItsHost(t *testing.T) {
	table, w := newTable()
	if err := table.Refresh(t.Context(), stageRef); err != nil {
		t.Fatal(err)
	}
	if got, want := w.said(), "web.production.shop.localhost → "; got != want {
		t.Errorf("got %q, not %q: it would be 404 instead of 503", got, want)
	}
}

func TestATaskIsOutOfTheRouteBeforeItIsDrained(t *testing.T) {
	table, w := newTable()
	w.tasks = []setops.Task{task("one", "web-1", setops.Running)}
	if err := table.Refresh(t.Context(), stageRef); err != nil {
		t.Fatal(err)
	}
	w.tasks[0].Status = setops.Deactivating
	if err := table.Drain(t.Context(), w.tasks[0]); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.said(), "one=") || !slices.Equal(w.drained, []string{"one"}) {
		t.Errorf("routes %q, drained %v", w.said(), w.drained)
	}
}

func TestAChangedCheckHasAnotherKey(t *testing.T) {
	table, w := newTable()
	keys := map[string]bool{}
	for _, path := range []string{"", "/up", "/ready"} {
		w.apps["web"].Network.HealthCheckPath = path
		if err := table.Refresh(t.Context(), stageRef); err != nil {
			t.Fatal(err)
		}
		route := w.routes["s"][0]
		if route.Check == nil {
			t.Fatalf("path %q is not checked", path)
		}
		keys[route.CheckKey] = true
	}
	if len(keys) != 3 {
		t.Errorf("3 checks have the keys %v", keys)
	}
}

func TestAFaultLeavesTheRoutesAsTheyAre(t *testing.T) {
	table, w := newTable()
	w.tasks = []setops.Task{task("one", "web-1", setops.Running)}
	if err := table.Refresh(t.Context(), stageRef); err != nil {
		t.Fatal(err)
	}
	before := w.said()
	w.fault = errors.New("disk")
	if err := table.Refresh(t.Context(), stageRef); !errors.Is(err, w.fault) {
		t.Errorf("got %v", err)
	}
	table.TasksChanged(t.Context(), "s")
	if w.said() != before {
		t.Errorf("routes are %q now", w.said())
	}
}

func TestARemovedStageHasNoRoutes(t *testing.T) {
	table, w := newTable()
	if err := table.Refresh(t.Context(), stageRef); err != nil {
		t.Fatal(err)
	}
	table.Remove("s")
	table.TasksChanged(t.Context(), "s")
	if w.said() != "" {
		t.Errorf("still %q", w.said())
	}
}
