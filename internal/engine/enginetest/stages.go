package enginetest

import (
	"slices"
	"testing"

	"github.com/setopsco/setops/internal/setops"
)

func stagesAreRemoved(t *testing.T, w *world) {
	other := newStage()
	w.ensureStage(t, other)
	w.ensureStage(t, other) // idempotent
	t.Cleanup(func() { w.removeStage(t, other.ID) })
	g := w.serving()
	task := w.deploy(t, g)[0]
	w.start(t, w.oneOff("wait"))
	w.removeStage(t, w.stage.ID)
	if answers(task) {
		t.Error("a task still answers")
	}
	o := w.observe(t)
	if len(o.Generations) != 0 || slices.Contains(o.Stages, w.stage.ID) || !slices.Contains(o.Stages, other.ID) {
		t.Errorf("got %+v", o)
	}
	if tasks := w.tasks(t); len(tasks) != 0 {
		t.Errorf("%d tasks are listed", len(tasks))
	}
	if lines := w.lines(t, logOf(""), ""); len(lines) != 0 {
		t.Errorf("%d lines are left", len(lines))
	}
	w.removeStage(t, w.stage.ID) // idempotent
}

func appsAreRemoved(t *testing.T, w *world) {
	w.runOneOff(t, w.oneOff("print", "hello"))
	if err := w.RemoveApp(t.Context(), w.stage.ID, "web", 0); err != nil {
		t.Fatal(err)
	}
	if lines := w.lines(t, logOf(""), ""); len(lines) != 0 {
		t.Errorf("%d lines are left", len(lines))
	}
	if tasks := w.tasks(t); len(tasks) != 0 {
		t.Errorf("%d tasks are listed", len(tasks))
	}
}

func stagesAreApart(t *testing.T, w *world) {
	target := w.deploy(t, w.serving())[0]
	// A cluster may learn late of the address of a task that has begun, and lets it in nowhere until then.
	eventually(t, "a task of the stage gets in", func() bool {
		return *w.runOneOff(t, w.oneOff("dial", target.Address)).ExitCode == 0
	})
	other := newStage()
	w.ensureStage(t, other)
	t.Cleanup(func() { w.removeStage(t, other.ID) })
	o := w.oneOff("dial", target.Address)
	o.Stage = setops.StageRef{ID: other.ID, Organization: other.Organization, Project: other.Project, Name: other.Name}
	if ended := w.runOneOff(t, o); *ended.ExitCode != 1 {
		t.Errorf("from another stage: %+v", ended)
	}
}
