package enginetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

const (
	appPort = 5000
	// patience is how long the suite waits for what must come. It bounds failures, not passes.
	patience = time.Minute
)

// world is an engine with one stage, for one test.
type world struct {
	engine.Engine
	h       Harness
	dir     string
	stage   setops.StageRef
	drainer drainer
}

func newWorld(t *testing.T, h Harness) *world {
	t.Helper()
	w := &world{h: h, dir: t.TempDir(), stage: newStage()}
	w.open(t)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { w.removeStage(t, w.stage.ID) })
	w.ensureStage(t, w.stage)
	return w
}

// open makes the engine; w.Engine is the newest.
func (w *world) open(t *testing.T) {
	t.Helper()
	w.Engine = w.h.New(t, w.dir, &w.drainer, serveFront)
}

// reopen closes the engine and makes it again.
func (w *world) reopen(t *testing.T, meanwhile func()) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	meanwhile()
	w.open(t)
}

func (w *world) ensureStage(t *testing.T, s setops.StageRef) {
	t.Helper()
	ctx, cancel := soon()
	defer cancel()
	if err := w.EnsureStage(ctx, s, 0); err != nil {
		t.Fatal(err)
	}
}

func (w *world) removeStage(t *testing.T, id string) {
	t.Helper()
	ctx, cancel := soon()
	defer cancel()
	if err := w.RemoveStage(ctx, id); err != nil {
		t.Error(err)
	}
}

func soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

func newStage() setops.StageRef {
	id := newID()[:12]
	return setops.StageRef{ID: id, Organization: "demo", Project: "suite", Name: "s" + id[:8]}
}

func newID() string {
	var raw [16]byte
	rand.Read(raw[:]) //nolint:errcheck // it never fails
	return hex.EncodeToString(raw[:])
}

// generation has one task that runs the words and no check.
func (w *world) generation(words ...string) engine.Generation {
	return engine.Generation{
		ID: newID(), Stage: w.stage, App: "web", Release: 3, Container: w.container(words...), Scale: 1,
		StartTimeout: patience, StopTimeout: patience,
	}
}

// serving has one task that serves and is checked from outside.
func (w *world) serving() engine.Generation {
	g := w.generation("serve")
	g.NetworkCheck = &setops.NetworkCheck{Protocol: setops.HTTP, Path: "/", Status: "200"}
	return g
}

func (w *world) container(words ...string) engine.Container {
	return engine.Container{
		Image: w.h.Image, Command: words, CPU: 128, Memory: 128, Port: appPort,
		Env: []string{fmt.Sprint("PORT=", appPort), "PROTOCOL=http", "GREETING=good morning"},
	}
}

func (w *world) oneOff(words ...string) engine.OneOff {
	return engine.OneOff{
		ID: newID(), Stage: w.stage, App: "web", Release: 3, Container: w.container(words...),
		StopTimeout: patience, Limit: time.Hour,
	}
}

// check runs the words inside, every unit.
func check(words ...string) *setops.HealthCheck {
	return &setops.HealthCheck{
		Command: append([]string{"/testapp"}, words...), Interval: 1, Timeout: 20, Retries: 2,
	}
}

// deploy ensures and awaits a generation and gives its tasks.
func (w *world) deploy(t *testing.T, g engine.Generation) []setops.Task {
	t.Helper()
	w.ensure(t, g)
	if err := w.await(g.ID); err != nil {
		t.Fatalf("await: %v", err)
	}
	return w.running(t, g.ID)
}

func (w *world) ensure(t *testing.T, g engine.Generation) {
	t.Helper()
	ctx, cancel := soon()
	defer cancel()
	if err := w.Ensure(ctx, g); err != nil {
		t.Fatal(err)
	}
}

func (w *world) await(id string) error {
	ctx, cancel := soon()
	defer cancel()
	return w.Await(ctx, id)
}

// gateError awaits a generation that cannot get ready.
func (w *world) gateError(t *testing.T, g engine.Generation) *engine.GateError {
	t.Helper()
	w.ensure(t, g)
	err := w.await(g.ID)
	var gate *engine.GateError
	if !errors.As(err, &gate) {
		t.Fatalf("await: got %v, want a GateError", err)
	}
	return gate
}

func (w *world) tasks(t *testing.T) []setops.Task {
	t.Helper()
	tasks, err := w.List(t.Context(), w.stage.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}

// running gives the tasks of a generation that are RUNNING and shall be.
func (w *world) running(t *testing.T, id string) []setops.Task {
	t.Helper()
	var found []setops.Task
	for _, task := range w.tasks(t) {
		if task.Generation == id && task.Status == setops.Running && task.Desired == setops.Running {
			found = append(found, task)
		}
	}
	return found
}

func (w *world) task(t *testing.T, id string) setops.Task {
	t.Helper()
	for _, task := range w.tasks(t) {
		if task.ID == id {
			return task
		}
	}
	t.Fatalf("task %s is not listed", id)
	return setops.Task{}
}

// wait gives a task once it has ended.
func (w *world) wait(t *testing.T, id string) setops.Task {
	t.Helper()
	ctx, cancel := soon()
	defer cancel()
	task, err := w.Wait(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// lines gives the texts of a task's log.
func (w *world) lines(t *testing.T, q engine.LogQuery, source string) []string {
	t.Helper()
	q.StageID, q.App = w.stage.ID, "web"
	var texts []string
	err := w.ReadLogs(t.Context(), q, func(l engine.LogLine) bool {
		if source == "" || l.Source == source {
			texts = append(texts, l.Text)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// get asks a task and gives the status and the body of its answer.
func get(t *testing.T, task setops.Task, path string) (int, string) {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + task.Address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// eventually waits until ok says true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came that %s", what)
		}
	}
}

func contains(lines []string, part string) bool {
	for _, l := range lines {
		if strings.Contains(l, part) {
			return true
		}
	}
	return false
}

// drainer is an engine.Drainer that a test may hold.
type drainer struct {
	mu      sync.Mutex
	drained []string
	hold    chan struct{} // not nil: draining takes until it is closed
}

// Drain implements engine.Drainer.
func (d *drainer) Drain(ctx context.Context, task setops.Task) error {
	d.mu.Lock()
	d.drained = append(d.drained, task.ID)
	hold := d.hold
	d.mu.Unlock()
	if hold == nil {
		return nil
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-hold:
		return nil
	}
}

func (d *drainer) holdUntilClosed(c chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hold = c
}

func (d *drainer) asked(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.drained {
		if one == id {
			return true
		}
	}
	return false
}
