package enginetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

func networkCheckGates(t *testing.T, w *world) {
	g := w.serving()
	g.Container.Command = []string{"touch", "down", "serve"} // answers 503
	w.ensure(t, g)
	var task setops.Task
	eventually(t, "the task has started", func() bool {
		tasks := w.tasks(t)
		if len(tasks) == 1 && tasks[0].Status == setops.Activating {
			task = tasks[0]
		}
		return task.Address != "" && answers(task)
	})
	if now := w.task(t, task.ID); now.Status != setops.Activating {
		t.Fatalf("got %+v", now)
	}
	get(t, task, "/drop/down")
	if err := w.await(g.ID); err != nil {
		t.Fatal(err)
	}
	if now := w.task(t, task.ID); now.Status != setops.Running {
		t.Errorf("got %+v", now)
	}
}

func networkCheckFails(t *testing.T, w *world) {
	g := w.serving()
	g.Container.Command = []string{"touch", "down", "print", "started but down", "serve"}
	g.StartTimeout = startTimeout
	e := w.gateError(t, g)
	if e.Check != "network health check" || e.App != "web" || e.Fault || !strings.Contains(e.Cause, "503") ||
		e.Last.Status != 503 || e.Last.Request != "GET /" {
		t.Errorf("got %+v", e)
	}
	if !contains(e.Log, "started but down") {
		t.Errorf("the log is %q", e.Log)
	}
}

// startTimeout is over soon and long enough for a start.
const startTimeout = 5 * time.Second

func wrongPort(t *testing.T, w *world) {
	g := w.serving()
	g.Container.Command = []string{"serve-on", ":4000"}
	g.StartTimeout = startTimeout
	e := w.gateError(t, g)
	if e.Check != "network health check" || !strings.Contains(e.Cause, "5000") || !strings.Contains(e.Cause, "4000") ||
		len(e.Last.ListensOn) != 1 || !strings.HasSuffix(e.Last.ListensOn[0], ":4000") {
		t.Errorf("got %+v", e)
	}
	g = w.serving()
	g.Container.Command = []string{"serve-on", "127.0.0.1:5000"}
	g.StartTimeout = startTimeout
	if e := w.gateError(t, g); !strings.Contains(e.Cause, "127.0.0.1") {
		t.Errorf("got %+v", e)
	}
}

func containerCheckGates(t *testing.T, w *world) {
	g := w.serving()
	g.HealthCheck = check("need", "ready")
	g.HealthCheck.StartPeriod = 300
	w.ensure(t, g)
	var task setops.Task
	eventually(t, "the check has failed once", func() bool {
		if tasks := w.tasks(t); len(tasks) == 1 {
			task = tasks[0]
		}
		return contains(w.lines(t, logOf(task.ID), "system"), "container health check failed: exit code 1")
	})
	if task = w.task(t, task.ID); task.Status != setops.Activating || task.Health != setops.Unknown {
		t.Fatalf("got %+v", task)
	}
	eventually(t, "the task answers", func() bool { return answers(task) })
	get(t, task, "/touch/ready")
	if err := w.await(g.ID); err != nil {
		t.Fatal(err)
	}
	if now := w.task(t, task.ID); now.Status != setops.Running || now.Health != setops.Healthy {
		t.Errorf("got %+v", now)
	}
}

func containerCheckFails(t *testing.T, w *world) {
	g := w.generation("serve")
	g.HealthCheck = check("print", "the database is away", "exit", "7")
	e := w.gateError(t, g)
	if e.Check != "container health check" || !strings.Contains(e.Cause, "2 times") ||
		!strings.Contains(e.Cause, "exit code 7") || !strings.Contains(e.Cause, "the database is away") ||
		e.Last.ExitCode == nil || *e.Last.ExitCode != 7 || e.Last.Output != "the database is away" {
		t.Errorf("got %+v", e)
	}
	w.remove(t, g.ID)
	g = w.generation("serve")
	g.HealthCheck = check()
	g.HealthCheck.Command = []string{"/nothing/here"}
	if e := w.gateError(t, g); !strings.Contains(e.Cause, "127") {
		t.Errorf("got %+v", e)
	}
}

func tasksWithoutChecksAreProven(t *testing.T, w *world) {
	begin := time.Now()
	tasks := w.deploy(t, w.generation("wait"))
	if took := time.Since(begin); took < w.h.Proven {
		t.Errorf("RUNNING after %s", took)
	}
	if len(tasks) != 1 {
		t.Errorf("%d tasks", len(tasks))
	}
}

func thirdEndCounts(t *testing.T, w *world) {
	e := w.gateError(t, w.generation("print", "no database", "exit", "3"))
	if e.Check != "start" || !strings.Contains(e.Cause, "exited with code 3") || !contains(e.Log, "no database") ||
		e.Last.ExitCode == nil || *e.Last.ExitCode != 3 {
		t.Errorf("got %+v", *e)
	}
	ended := 0
	for _, task := range w.tasks(t) {
		if task.ExitCode != nil && *task.ExitCode == 3 {
			ended++
		}
	}
	if ended < 3 {
		t.Errorf("%d tasks ended", ended)
	}
}

func missingProgram(t *testing.T, w *world) {
	g := w.serving()
	g.Container.Entrypoint = []string{"/nothing/here"}
	if e := w.gateError(t, g); e.Check != "start" || !strings.Contains(e.Cause, "/nothing/here") || e.Fault {
		t.Errorf("got %+v", e)
	}
	// Others are made for as long as the generation is kept, however quickly. But nobody was told to expect one.
	if lines := w.lines(t, engine.LogQuery{}, "system"); !w.h.RestartsInPlace && contains(lines, "restarting in ") {
		t.Errorf("got %q", lines)
	}
}

func foreignImage(t *testing.T, w *world) {
	g := w.serving()
	g.Container.Image = w.h.Foreign
	if e := w.gateError(t, g); e.Check != "image" || e.Fault || e.Cause == "" {
		t.Errorf("got %+v", e)
	}
	if err := w.Prepare(t.Context(), w.h.Foreign); err == nil {
		t.Error("it can be prepared")
	}
	if err := w.Prepare(t.Context(), w.h.Image); err != nil {
		t.Error(err)
	}
}

func awaitingEndsWithItsContext(t *testing.T, w *world) {
	g := w.serving()
	g.Container.Command = []string{"wait"}
	w.ensure(t, g)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Await(ctx, g.ID); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if o := w.observe(t); len(o.Generations) != 1 || !o.Generations[0].Kept {
		t.Errorf("got %+v", o)
	}
}
