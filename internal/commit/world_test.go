package commit_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
)

var (
	stage = setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}
	ada   = setops.User{ID: "u-ada", Email: "ada@example.com", OrganizationID: "o-1", Organization: "demo"}
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// world is a host with a database and a runtime on which services come and go.
type world struct {
	store   *store.Store
	runtime *fake.Runtime
	box     *seal.Box
	dir     string

	mu     sync.Mutex
	routes map[string]string
	refuse int // how often the router refuses
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{runtime: fake.NewRuntime(), dir: storetest.Dir(t)}
	ctx := context.Background()
	var err error
	w.store = storetest.Open(t)
	w.box, err = seal.New(make([]byte, seal.KeySize))
	must(t, err)
	t.Cleanup(func() { must(t, w.runtime.Close()) })
	now := time.Now()
	_, err = w.store.AddOrganization(ctx, "o-1", "demo", now)
	must(t, err)
	must(t, w.store.AddUser(ctx, ada, "hash", "o-1", now))
	must(t, w.store.AddProject(ctx, "o-1", setops.Project{ID: "p-1", Name: "shop"}, ada))
	must(t, w.store.AddStage(ctx, setops.Stage{ID: stage.ID, ProjectID: "p-1", Name: stage.Name}, ada))
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// process is one life of the server: a service on an engine, which end together.
type process struct {
	*commit.Service
	engine engine.Engine
}

// start starts a process; wrap may put faults between the service and its store and engine.
func (w *world) start(t *testing.T, wrap func(commit.Store, engine.Engine) (commit.Store, engine.Engine)) *process {
	t.Helper()
	real, err := fake.New(context.Background(), fake.Config{Dir: filepath.Join(w.dir, "engine"), Runtime: w.runtime})
	must(t, err)
	var st commit.Store = w.store
	var e engine.Engine = real
	if wrap != nil {
		st, e = wrap(st, e)
	}
	p := &process{engine: real, Service: commit.New(commit.Config{
		Store: st, Engine: e, OpenEnv: w.box.OpenEnv, Routes: w, Ports: w, Key: w.box.FingerprintKey(), Now: time.Now,
		Recheck: w.recheck, Logger: slog.New(slog.DiscardHandler), Owner: "host", Again: 20 * time.Millisecond,
	})}
	return p
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	p.Close()
	must(t, p.engine.Close())
}

func newID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// recheck refuses a domain that starts with forbidden.
func (w *world) recheck(_ context.Context, s setops.StageRef, c changeset.Command) error {
	switch c := c.(type) {
	case *changeset.DomainCreate:
		if strings.HasPrefix(c.Domain, "forbidden.") && s == stage {
			return setops.DomainTaken(c.Domain)
		}
		if strings.HasPrefix(c.Domain, "faulty.") {
			return errors.New("the disk is on fire")
		}
	}
	return nil
}

// Refresh stands for the router: it remembers which generation each app is routed to.
func (w *world) Refresh(ctx context.Context, s setops.StageRef) error {
	serving, err := w.store.Serving(ctx, s.ID)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse > 0 {
		w.refuse--
		return errors.New("the router is out of order")
	}
	w.routes = map[string]string{}
	for app, g := range serving {
		w.routes[app] = g.ID
	}
	return nil
}

// OpenPort and ClosePort stand for the router's TCP ports.
func (w *world) OpenPort(ctx context.Context, s setops.StageRef, app string) error {
	_, err := w.store.ReservePort(ctx, s.ID, app, 20000, 20001)
	return err
}

func (w *world) ClosePort(ctx context.Context, s setops.StageRef, app string) error {
	return w.store.ReleasePort(ctx, s.ID, app)
}

func (w *world) refuseRoutes(times int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = times
}

func (w *world) isRouted(generation string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(slices.Collect(maps.Values(w.routes)), generation)
}

func (w *world) stage(t *testing.T, commands ...changeset.Command) {
	t.Helper()
	must(t, w.store.AppendCommands(context.Background(), stage.ID, ada.ID, newID(), time.Now(),
		func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return commands, nil
		}, idempotency.Receipt[[]changeset.Command]{}))
}

// Start asks for a commit with a new id, unless the request has one.
func (p *process) Start(ctx context.Context, at setops.StageRef, user setops.User, r commit.Request) (changeset.Commit, error) {
	if r.ID == "" {
		r.ID = newID()
	}
	return p.Service.Start(ctx, at, user, r)
}

// commit stages and commits, and gives how it ended.
func (p *process) commit(t *testing.T, w *world, commands ...changeset.Command) commit.Progress {
	t.Helper()
	w.stage(t, commands...)
	c, err := p.Start(context.Background(), stage, ada, commit.Request{})
	must(t, err)
	return p.await(t, c.ID)
}

func (p *process) await(t *testing.T, id string) (last commit.Progress) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	must(t, p.Watch(ctx, stage.ID, id, 0, func(now commit.Progress) bool { last = now; return true }))
	return last
}

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func deploy(app string, id int) []changeset.Command {
	return []changeset.Command{
		&changeset.ReleaseCreate{AppName: app, Digest: digest(id), ID: id}, &changeset.ReleaseActivate{AppName: app, ID: id},
	}
}

// deployAfter is deploy behind a pre-activation task.
func deployAfter(app string, id int, argv ...string) []changeset.Command {
	return []changeset.Command{
		&changeset.ReleaseCreate{AppName: app, Digest: digest(id), ID: id}, &changeset.ReleaseActivate{AppName: app, ID: id, Before: argv},
	}
}

// deployed is a world in which web and worker serve their release 1.
func deployed(t *testing.T) (*world, *process) {
	t.Helper()
	w := newWorld(t)
	p := w.start(t, nil)
	must(t, p.Resume(context.Background()))
	commands := []changeset.Command{&changeset.AppCreate{AppName: "web"}, &changeset.AppCreate{AppName: "worker"}}
	commands = append(append(commands, deploy("web", 1)...), deploy("worker", 1)...)
	if end := p.commit(t, w, commands...); end.State != changeset.Done {
		t.Fatalf("%+v", end.Failure)
	}
	return w, p
}

// releases says which release of which app is active, as "web:1 worker:1".
func (w *world) releases(t *testing.T) string {
	t.Helper()
	spec, err := w.store.Spec(context.Background(), stage.ID)
	must(t, err)
	var all []string
	for _, name := range slices.Sorted(maps.Keys(spec.Apps)) {
		all = append(all, fmt.Sprintf("%s:%d", name, spec.Apps[name].ActiveRelease))
	}
	return strings.Join(all, " ")
}

// settled waits until nothing is left to do, and then until the host runs exactly what serves.
func (w *world) settled(t *testing.T, p *process) {
	t.Helper()
	ctx := context.Background()
	var why string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if why = w.unsettled(ctx, t, p); why == "" {
			return
		}
	}
	t.Fatal(why)
}

func (w *world) unsettled(ctx context.Context, t *testing.T, p *process) string {
	t.Helper()
	// In this order: a commit goes from one list to the next, and is in one of them at every moment.
	waiting, err := w.store.Waiting(ctx)
	must(t, err)
	running, err := w.store.RunningCommits(ctx)
	must(t, err)
	unfinished, err := w.store.Unfinished(ctx)
	must(t, err)
	if len(running)+len(unfinished)+len(waiting) > 0 {
		return fmt.Sprintf("commits run: %v, are unfinished: %v, wait on %v", running, unfinished, waiting)
	}
	serving, err := w.store.Serving(ctx, stage.ID)
	must(t, err)
	w.mu.Lock()
	routes := maps.Clone(w.routes)
	w.mu.Unlock()
	observed, err := p.engine.Observe(ctx)
	must(t, err)
	if len(observed.Generations) != len(serving) || len(routes) != len(serving) {
		return fmt.Sprintf("generations %v, serving %v, routes %v", observed.Generations, serving, routes)
	}
	for _, g := range observed.Generations {
		if serving[g.App].ID != g.ID || !g.Kept || routes[g.App] != g.ID {
			return fmt.Sprintf("generations %v, serving %v, routes %v", observed.Generations, serving, routes)
		}
	}
	ports, err := w.store.Ports(ctx, stage.ID)
	must(t, err)
	spec, err := w.store.Spec(ctx, stage.ID)
	must(t, err)
	for name, app := range spec.Apps {
		if _, has := ports[name]; has != app.NeedsPort() {
			return fmt.Sprintf("the port of app %s is reserved: %v", name, has)
		}
		delete(ports, name)
	}
	if len(ports) > 0 {
		return fmt.Sprintf("ports are left: %v", ports)
	}
	tasks, err := p.engine.List(ctx, stage.ID, "")
	must(t, err)
	up := map[string]int{}
	for _, task := range tasks {
		if task.Status == setops.Running {
			up[task.Generation]++
		} else if task.Status != setops.Stopped {
			return fmt.Sprintf("task %+v", task)
		}
	}
	for app, g := range serving {
		if up[g.ID] != spec.Apps[app].Resources.Scale {
			return fmt.Sprintf("%d tasks of %s", up[g.ID], g.ID)
		}
		delete(up, g.ID)
	}
	if len(up) > 0 {
		return fmt.Sprintf("tasks of %v are left", up)
	}
	return ""
}
