package enginetest

import (
	"context"
	"slices"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

func aTaskAnswers(t *testing.T, w *world) {
	tasks := w.deploy(t, w.serving())
	if len(tasks) != 1 {
		t.Fatalf("%d tasks", len(tasks))
	}
	task := tasks[0]
	if task.App != "web" || task.Release != 3 || task.Digest != w.h.Image.Digest || task.Health != setops.Unknown ||
		task.StartedAt.IsZero() || !task.StoppedAt.IsZero() || task.ExitCode != nil || len(task.ID) != 32 {
		t.Errorf("got %+v", task)
	}
	for key, want := range map[string]string{"PORT": "5000", "PROTOCOL": "http", "GREETING": "good morning"} {
		if _, got := get(t, task, "/env/"+key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func scaleIsFollowed(t *testing.T, w *world) {
	g := w.serving()
	before := w.deploy(t, g)
	g.Scale = 3
	three := w.deploy(t, g)
	if len(three) != 3 || !slices.ContainsFunc(three, func(o setops.Task) bool { return o.ID == before[0].ID }) {
		t.Fatalf("from %v to %v", ids(before), ids(three))
	}
	g.Scale = 1
	w.ensure(t, g)
	eventually(t, "two tasks were stopped", func() bool { return len(w.running(t, g.ID)) == 1 })
	after := w.running(t, g.ID)
	if after[0].ID != before[0].ID {
		t.Errorf("the oldest task was stopped")
	}
	for _, task := range three {
		if task.ID == after[0].ID {
			continue
		}
		if ended := w.wait(t, task.ID); ended.Reason == "" || ended.Desired != setops.Stopped {
			t.Errorf("got %+v", ended)
		}
	}
}

func ids(tasks []setops.Task) []string {
	var all []string
	for _, task := range tasks {
		all = append(all, task.ID)
	}
	return all
}

func scaleZeroIsReady(t *testing.T, w *world) {
	g := w.serving()
	g.Scale = 0
	if tasks := w.deploy(t, g); len(tasks) != 0 {
		t.Errorf("%d tasks", len(tasks))
	}
	o := w.observe(t)
	if !slices.Contains(o.Generations, observed(g, true)) {
		t.Errorf("got %+v", o)
	}
}

func observed(g engine.Generation, kept bool) engine.ObservedGeneration {
	return engine.ObservedGeneration{ID: g.ID, StageID: g.Stage.ID, App: g.App, Kept: kept}
}

func (w *world) observe(t *testing.T) engine.Observed {
	t.Helper()
	o, err := w.Observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func removingLeavesNothing(t *testing.T, w *world) {
	g := w.serving()
	g.Scale = 2
	tasks := w.deploy(t, g)
	w.remove(t, g.ID)
	for _, task := range tasks {
		if now := w.task(t, task.ID); now.Status != setops.Stopped || now.StoppedAt.IsZero() {
			t.Errorf("got %+v", now)
		}
	}
	if o := w.observe(t); len(o.Generations) != 0 || !slices.Contains(o.Stages, w.stage.ID) {
		t.Errorf("got %+v", o)
	}
	w.remove(t, g.ID) // an unknown id is no error
	if err := w.await(g.ID); err == nil {
		t.Error("a removed generation can be awaited")
	}
}

func (w *world) remove(t *testing.T, id string) {
	t.Helper()
	ctx, cancel := soon()
	defer cancel()
	if err := w.Remove(ctx, id, 0); err != nil {
		t.Fatal(err)
	}
}

func changesAreReported(t *testing.T, w *world) {
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan string, 1000)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		w.Watch(ctx, func(stageID string) { seen <- stageID })
	}()
	g := w.serving()
	w.deploy(t, g)
	eventually(t, "a change of the stage was reported", func() bool { return w.sees(seen) })
	for len(seen) > 0 {
		<-seen
	}
	w.remove(t, g.ID)
	eventually(t, "the removal was reported", func() bool { return w.sees(seen) })
	cancel()
	<-watching
}

func (w *world) sees(seen <-chan string) bool {
	select {
	case id := <-seen:
		return id == w.stage.ID
	default:
		return false
	}
}
