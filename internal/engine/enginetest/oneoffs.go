package enginetest

import (
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

func (w *world) start(t *testing.T, o engine.OneOff) setops.Task {
	t.Helper()
	task, err := w.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func (w *world) runOneOff(t *testing.T, o engine.OneOff) setops.Task {
	t.Helper()
	return w.wait(t, w.start(t, o).ID)
}

func oneOffsGiveExitCodes(t *testing.T, w *world) {
	o := w.oneOff("env", "GREETING", "exit", "42")
	task := w.start(t, o)
	if task.ID != o.ID || task.Status != setops.Provisioning || !task.OneOff() {
		t.Errorf("got %+v", task)
	}
	ended := w.wait(t, task.ID)
	if ended.Status != setops.Stopped || ended.ExitCode == nil || *ended.ExitCode != 42 || ended.Release != 3 {
		t.Errorf("got %+v", ended)
	}
	if lines := w.lines(t, logOf(task.ID), "app"); !contains(lines, "GREETING=good morning") {
		t.Errorf("got %q", lines)
	}
	if ended := w.runOneOff(t, w.oneOff("exit", "0")); ended.Reason != "Essential container in task exited" {
		t.Errorf("got %q", ended.Reason)
	}
	if n := len(w.tasks(t)); n != 2 {
		t.Errorf("%d tasks are listed", n)
	}
}

func oneOffsAreLimited(t *testing.T, w *world) {
	o := w.oneOff("wait")
	o.Limit = 100 * time.Millisecond
	if ended := w.runOneOff(t, o); !strings.Contains(ended.Reason, "100ms") {
		t.Errorf("got %+v", ended)
	}
}

func oneOffsCanBeStopped(t *testing.T, w *world) {
	task := w.start(t, w.oneOff("term", "9", "print", "ready", "wait"))
	eventually(t, "it has begun", func() bool { return contains(w.lines(t, logOf(task.ID), "app"), "ready") })
	if err := w.Stop(t.Context(), task.ID); err != nil {
		t.Fatal(err)
	}
	if ended := w.wait(t, task.ID); ended.ExitCode == nil || *ended.ExitCode != 9 {
		t.Errorf("got %+v", ended)
	}
	if err := w.Stop(t.Context(), task.ID); err != nil {
		t.Errorf("an ended task: %v", err)
	}
}
