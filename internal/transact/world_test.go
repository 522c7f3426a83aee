package transact

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/history"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/staging"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
)

var (
	stage = setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}
	ada   = user("ada")
	bob   = user("bob")
	cyd   = user("cyd")
	eve   = user("eve") // who looks, and stages nothing
)

func user(name string) setops.User {
	return setops.User{ID: "u-" + name, Email: name + "@example.com", OrganizationID: "o-1", Organization: "demo"}
}

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

// images is what staging and history ask of a registry.
type images interface {
	staging.Images
	Exists(ctx context.Context, repository, digest string) (bool, error)
}

// world is a server with one stage on an engine in memory.
type world struct {
	place   storetest.Place
	store   *store.Store
	runtime *fake.Runtime
	engine  *fake.Engine
	box     *seal.Box
	images  images
	commits *commit.Service // nil until serve
	staging *staging.Service
	history *history.Service
	isWhole bool // no server dies

	mu     sync.Mutex
	routes map[string]string // by app: the generation that is routed to
}

func newWorld(t *testing.T, i images) *world {
	t.Helper()
	w := &world{place: storetest.New(t), runtime: fake.NewRuntime(), images: i, isWhole: true}
	dir := filepath.Join(storetest.Dir(t), "engine") // it goes last: tasks write until the runtime is closed
	var err error
	w.store, err = w.place.Open(t.Context())
	must(t, err)
	t.Cleanup(func() { must(t, w.store.Close()) })
	t.Cleanup(func() { must(t, w.runtime.Close()) })
	// Start and stop timeouts of 60 s are 10 s: long enough for a machine that is busy.
	w.engine, err = fake.New(t.Context(), fake.Config{Dir: dir, Runtime: w.runtime, Speed: 6})
	must(t, err)
	t.Cleanup(func() { must(t, w.engine.Close()) })
	w.box, err = seal.New(make([]byte, seal.KeySize))
	must(t, err)
	w.settle(t)
	w.staging = &staging.Service{Store: w.store, Images: i, Domains: w, Box: w.box, NewID: newID, Now: time.Now}
	return w
}

// settle makes the stage and those who use it.
func (w *world) settle(t *testing.T) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	_, err := w.store.AddOrganization(ctx, "o-1", "demo", now)
	must(t, err)
	for _, u := range []setops.User{ada, bob, cyd, eve} {
		must(t, w.store.AddUser(ctx, u, "hash", "o-1", now))
	}
	must(t, w.store.AddProject(ctx, "o-1", setops.Project{ID: "p-1", Name: stage.Project}, ada))
	must(t, w.store.AddStage(ctx, setops.Stage{ID: stage.ID, ProjectID: "p-1", Name: stage.Name}, ada))
}

// config is that of a service that runs commits.
func (w *world) config(owner string) commit.Config {
	return commit.Config{
		Store: w.store, Engine: w.engine, OpenEnv: w.box.OpenEnv, Routes: w, Ports: w, Recheck: w.Admit,
		Key: w.box.FingerprintKey(), Now: time.Now, Logger: slog.New(slog.DiscardHandler), Owner: owner,
	}
}

// serve lets commits begin.
func (w *world) serve(t *testing.T) {
	t.Helper()
	w.commits = commit.New(w.config("host"))
	t.Cleanup(w.commits.Close)
	must(t, w.commits.Resume(t.Context()))
	w.history = &history.Service{
		Store: w.store, Running: w.commits, Logs: w.engine, Exists: w.images.Exists, Admit: w.Admit, Box: w.box, NewID: newID, Now: time.Now,
	}
}

// Admit allows every domain.
func (*world) Admit(context.Context, setops.StageRef, changeset.Command) error { return nil }

// Refresh stands for the router.
func (w *world) Refresh(ctx context.Context, s setops.StageRef) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	serving, err := w.store.Serving(ctx, s.ID)
	if err != nil {
		return err
	}
	w.routes = map[string]string{}
	for app, g := range serving {
		w.routes[app] = g.ID
	}
	return nil
}

// The router's TCP ports are fewer than the apps that may want one.
const lowPort, highPort = 20000, 20001

// OpenPort and ClosePort stand for the router, too.
func (w *world) OpenPort(ctx context.Context, s setops.StageRef, app string) error {
	_, err := w.store.ReservePort(ctx, s.ID, app, lowPort, highPort)
	return err
}

func (w *world) ClosePort(ctx context.Context, s setops.StageRef, app string) error {
	return w.store.ReleasePort(ctx, s.ID, app)
}

func (w *world) routed() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.routes)
}

func (w *world) spec(t *testing.T) setops.Spec {
	t.Helper()
	spec, err := w.store.Spec(t.Context(), stage.ID)
	must(t, err)
	return spec
}

// staged is what a user has staged.
func (w *world) staged(t *testing.T, u setops.User) []changeset.Command {
	t.Helper()
	c, _, err := w.store.Changeset(t.Context(), stage.ID, u.ID)
	must(t, err)
	return c.Commands
}

// stage stages commands, whose values of env are in clear, all or none of them. What it refuses, it refuses for a reason.
func (w *world) stage(t *testing.T, u setops.User, commands ...changeset.Command) ([]staging.Result, bool) {
	t.Helper()
	requests := make([]staging.Request, len(commands))
	for i, c := range commands {
		text, err := changeset.Encode(c)
		must(t, err)
		requests[i] = staging.Request{Name: c.Name(), Arguments: text}
	}
	results, err := w.staging.Stage(t.Context(), stage, u, requests, idempotency.Receipt[[]staging.Result]{})
	var refused *setops.Error
	if errors.As(err, &refused) && refused.Kind != setops.Fault {
		return nil, false
	}
	must(t, err)
	return results, true
}

func (w *world) discard(t *testing.T, u setops.User) {
	t.Helper()
	if _, err := w.staging.Discard(t.Context(), stage, u, idempotency.Receipt[int]{}); !setops.IsCode(err, setops.ChangesetDoesNotExist) {
		must(t, err)
	}
}

// await gives a commit as it has ended.
func (w *world) await(t *testing.T, s *commit.Service, id string) changeset.Commit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	must(t, s.Watch(ctx, stage.ID, id, 0, func(commit.Progress) bool { return true }))
	c, err := s.Commit(ctx, stage.ID, id)
	must(t, err)
	return c
}

// commitsInOrder gives all commits that the history knows, the oldest first.
func (w *world) commitsInOrder(t *testing.T) []changeset.Commit {
	t.Helper()
	all, err := w.store.Commits(t.Context(), stage.ID, "", 10_000)
	must(t, err)
	slices.Reverse(all)
	for i, c := range all { // a list leaves the commands out
		all[i], _, err = w.store.Commit(t.Context(), stage.ID, c.ID)
		must(t, err)
	}
	return all
}

func newID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

var _ engine.Engine = (*fake.Engine)(nil)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
