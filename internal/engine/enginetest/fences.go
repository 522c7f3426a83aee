package enginetest

import (
	"errors"
	"testing"

	"github.com/setopsco/setops/internal/engine"
)

// olderLeasesAreRefused wants that nobody is obeyed any more who has an older lease than one that has written.
func olderLeasesAreRefused(t *testing.T, w *world) {
	old := w.serving()
	old.Fence = 7
	w.deploy(t, old)
	newer := old
	newer.Fence, newer.Scale = 8, 2
	w.deploy(t, newer)
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, engine.ErrFenced) {
			t.Errorf("%s under an older lease: %v", what, err)
		}
	}
	refused("a scale", w.Ensure(t.Context(), old))
	refused("a removal", w.Remove(t.Context(), old.ID, 7))
	refused("the end of an app", w.RemoveApp(t.Context(), w.stage.ID, old.App, 7))
	if n := len(w.running(t, old.ID)); n != 2 {
		t.Errorf("%d tasks run", n)
	}

	// What is new is measured by the stage, also after a restart.
	another := w.serving()
	another.Fence = 9
	w.deploy(t, another)
	stale := w.serving()
	stale.Fence = 8
	oneOff := w.oneOff("exit", "0")
	oneOff.Fence = 8
	for range 2 {
		refused("a new generation", w.Ensure(t.Context(), stale))
		refused("a network", w.EnsureStage(t.Context(), w.stage, 8))
		_, err := w.Run(t.Context(), oneOff)
		refused("a task", err)
		w.reopen(t, func() {})
	}

	// Who needs no lease is obeyed, and so is who cleans up behind an older commit what nobody has declared since.
	newer.Fence, another.Fence = 8, 9
	w.ensure(t, newer)
	w.ensure(t, another)
	if err := w.Remove(t.Context(), newer.ID, 8); err != nil {
		t.Error(err)
	}
	w.remove(t, another.ID)

	// On a stage that was removed nothing begins any more, not even what has no lease.
	gone := newStage()
	w.ensureStage(t, gone)
	w.removeStage(t, gone.ID)
	refused("a network of a stage that is gone", w.EnsureStage(t.Context(), gone, 0))
	late := w.oneOff("exit", "0")
	late.Stage = gone
	_, err := w.Run(t.Context(), late)
	refused("a task of a stage that is gone", err)
}
