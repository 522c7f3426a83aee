package enginetest

import (
	"slices"
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

// oneOffsRunOnce asks for the same task again: while it runs, when it has ended, and after a restart.
func oneOffsRunOnce(t *testing.T, w *world) {
	o := w.oneOff("print", "ran", "wait")
	first := w.start(t, o)
	eventually(t, "it has begun", func() bool { return contains(w.lines(t, logOf(first.ID), "app"), "ran") })
	if again := w.start(t, o); again.ID != first.ID || again.Status.Ended() {
		t.Errorf("while it runs: got %+v", again)
	}
	if err := w.Stop(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	w.wait(t, first.ID)
	for _, when := range []string{"when it has ended", "after a restart"} {
		if again := w.start(t, o); again.Status != setops.Stopped || !again.CreatedAt.Equal(first.CreatedAt) {
			t.Errorf("%s: got %+v", when, again)
		}
		w.reopen(t, func() {})
	}
	if lines := w.lines(t, logOf(first.ID), "app"); !slices.Equal(lines, []string{"ran"}) {
		t.Errorf("it has written %q", lines)
	}
	if tasks := w.tasks(t); len(tasks) != 1 {
		t.Errorf("there are %+v", tasks)
	}
}

// oneOffsTellHowTheyEnded tells the ends apart that an exit code alone does not.
func oneOffsTellHowTheyEnded(t *testing.T, w *world) {
	if ended := w.runOneOff(t, w.oneOff("exit", "3")); ended.Told || ended.Fault || ended.Unrun != "" || ended.Signal != "" {
		t.Errorf("by itself: got %+v", ended)
	}
	o := w.oneOff("nothing")
	o.Container.Entrypoint = []string{"/no/such/program"}
	if ended := w.runOneOff(t, o); ended.Unrun == "" || ended.Fault || ended.Told {
		t.Errorf("without its program: got %+v", ended)
	}
	task := w.start(t, w.oneOff("print", "ready", "wait"))
	eventually(t, "it has begun", func() bool { return contains(w.lines(t, logOf(task.ID), "app"), "ready") })
	if err := w.Stop(t.Context(), task.ID); err != nil {
		t.Fatal(err)
	}
	if ended := w.wait(t, task.ID); !ended.Told || ended.Fault || ended.Unrun != "" {
		t.Errorf("stopped: got %+v", ended)
	}
}
