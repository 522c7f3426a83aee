package enginetest

import (
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

func tasksAreAdopted(t *testing.T, w *world) {
	g := w.serving()
	g.HealthCheck = check("lack", "ill")
	g.Scale = 2
	before := w.deploy(t, g)
	w.reopen(t, func() {
		if _, body := get(t, before[0], "/"); body != "hello\n" {
			t.Errorf("while no engine runs: %q", body)
		}
	})
	if o := w.observe(t); !slices.Contains(o.Generations, observed(g, false)) {
		t.Errorf("got %+v", o)
	}
	if after := w.running(t, g.ID); !slices.Equal(ids(after), ids(before)) {
		t.Fatalf("from %v to %v", ids(before), ids(after))
	}
	after := w.deploy(t, g)
	if !slices.Equal(ids(after), ids(before)) || after[0].Health != setops.Healthy {
		t.Fatalf("from %+v to %+v", before, after)
	}
	get0(after[0], "/exit/1")
	w.wait(t, after[0].ID)
	eventually(t, "the adopted generation is kept alive", func() bool { return len(w.running(t, g.ID)) == 2 })
	w.remove(t, g.ID)
	if answers(after[1]) {
		t.Error("the task still answers")
	}
}

func endsAreNoticedLater(t *testing.T, w *world) {
	g := w.serving()
	task := w.deploy(t, g)[0]
	w.reopen(t, func() {
		get0(task, "/exit/6")
		eventually(t, "the task has ended", func() bool { return !answers(task) })
	})
	ended := w.wait(t, task.ID)
	if ended.ExitCode == nil || *ended.ExitCode != 6 {
		t.Errorf("got %+v", ended)
	}
	if tasks := w.deploy(t, g); len(tasks) != 1 || tasks[0].ID == task.ID {
		t.Errorf("got %+v", tasks)
	}
}

func oneOffsAreAdopted(t *testing.T, w *world) {
	o := w.oneOff("print", "begun", "wait")
	o.Limit = 3 * time.Second
	task := w.start(t, o)
	eventually(t, "it has begun", func() bool { return contains(w.lines(t, logOf(task.ID), "app"), "begun") })
	w.reopen(t, func() {})
	ended := w.wait(t, task.ID)
	if ran := ended.StoppedAt.Sub(ended.StartedAt); ran < 2900*time.Millisecond || ran > 20*time.Second {
		t.Errorf("its limit did not go on counting: it ran %s", ran)
	}
	if contains(w.lines(t, logOf(task.ID), "system"), "ended while nobody watched") {
		t.Error("it was lost")
	}
}
