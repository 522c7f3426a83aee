package host_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

var stage = setops.StageRef{ID: "s1", Organization: "demo", Project: "shop", Name: "staging"}

// bench is a supervisor on a fake runtime, in the time of a synctest bubble and with the timings of production. The
// bubble also fails a test that leaves a goroutine behind. Nothing in it may listen: a bubble's time stands still while
// a goroutine waits for the network.
type bench struct {
	*host.Supervisor
	t       *testing.T
	runtime *fake.Runtime
	cfg     host.Config
}

func inBubble(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, runtime: fake.NewRuntime()}
		b.cfg = host.Config{Dir: dir, Runtime: b.runtime}
		b.open()
		test(t, b)
		b.close()
		if err := b.runtime.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (b *bench) open() {
	b.t.Helper()
	s, err := host.New(context.Background(), b.cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Supervisor = s
}

func (b *bench) close() {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Error(err)
	}
}

// generation has one task that runs the words, and no check.
func generation(words ...string) engine.Generation {
	return engine.Generation{
		ID: "g1", Stage: stage, App: "web", Release: 1, Scale: 1,
		Container: engine.Container{
			Image: engine.Image{Repository: "demo/shop/staging/web", Digest: "sha256:1"}, Command: words,
			Env: []string{"PORT=5000", "PASSWORD=hunter2"}, Memory: 128, Port: 5000,
		},
		StartTimeout: time.Minute, StopTimeout: time.Minute,
	}
}

func (b *bench) ensure(g engine.Generation) {
	b.t.Helper()
	if err := b.Ensure(context.Background(), g); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) deploy(g engine.Generation) []setops.Task {
	b.t.Helper()
	b.ensure(g)
	if err := b.Await(context.Background(), g.ID); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
	return b.tasks()
}

func (b *bench) tasks() []setops.Task {
	b.t.Helper()
	tasks, err := b.List(context.Background(), stage.ID, "")
	if err != nil {
		b.t.Fatal(err)
	}
	return tasks
}

func (b *bench) task(id string) setops.Task {
	b.t.Helper()
	for _, t := range b.tasks() {
		if t.ID == id {
			return t
		}
	}
	b.t.Fatalf("task %s is not listed", id)
	return setops.Task{}
}

// pass lets time pass until all that was due has happened.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (b *bench) lines(q engine.LogQuery) []string {
	b.t.Helper()
	q.StageID, q.App = stage.ID, "web"
	var texts []string
	if err := b.ReadLogs(context.Background(), q, func(l engine.LogLine) bool {
		texts = append(texts, l.Text)
		return true
	}); err != nil {
		b.t.Fatal(err)
	}
	return texts
}

func count(lines []string, part string) int {
	n := 0
	for _, l := range lines {
		if strings.Contains(l, part) {
			n++
		}
	}
	return n
}

// touch makes a file inside a task's container, which its checks look for.
func (b *bench) touch(id, name string) {
	b.t.Helper()
	if code, _, err := b.runtime.Exec(context.Background(), id, []string{"testapp", "touch", name}); code != 0 || err != nil {
		b.t.Fatal(code, err)
	}
}

func (b *bench) drop(id, name string) {
	b.t.Helper()
	if code, _, err := b.runtime.Exec(context.Background(), id, []string{"testapp", "drop", name}); code != 0 || err != nil {
		b.t.Fatal(code, err)
	}
}

func lacking(name string) *setops.HealthCheck {
	return &setops.HealthCheck{Command: []string{"testapp", "lack", name}, Interval: 10, Timeout: 10, Retries: 5, StartPeriod: 15}
}
