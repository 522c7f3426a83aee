package project_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/project"
	"github.com/setopsco/setops/internal/setops"
)

// spied tells of what a service asks its store.
type spied struct {
	project.Store
	found   func() // a stage or a project that is to be destroyed
	marking func() // a project
}

func (s spied) Project(ctx context.Context, organizationID, name string) (setops.Project, bool, error) {
	p, ok, err := s.Store.Project(ctx, organizationID, name)
	s.found()
	return p, ok, err
}

func (s spied) MarkProjectDestroying(ctx context.Context, id string, events ...setops.Event) error {
	s.marking()
	return s.Store.MarkProjectDestroying(ctx, id, events...)
}

func (w *world) spy(found, marking func()) {
	s := spied{w.store, found, marking}
	w.Store, w.Access = s, auth.Access{Store: s}
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// Images are removed by name, and as soon as the first one is done somebody may make another stage of that name.
func TestWhatTwoDestroyAtOnceLosesItsImagesOnce(t *testing.T) {
	for images, destroy := range map[string]func(*world) error{
		"images demo/shop/production": func(w *world) error { return w.DestroyStage(context.Background(), ada, "demo", "shop", "production") },
		"images demo/shop":            func(w *world) error { return w.DestroyProject(context.Background(), ada, "demo", "shop") },
	} {
		w := begun(t)
		found, second := make(chan struct{}, 9), make(chan error, 1)
		w.spy(func() { found <- struct{}{} }, func() {})
		remove, begin := w.RemoveStage, true
		w.RemoveStage = func(ctx context.Context, id string) error {
			if begin { // the second one comes when the first is in the middle
				begin = false
				<-found
				go func() { second <- destroy(w) }()
				<-found
			}
			return remove(ctx, id)
		}
		must(t, destroy(w))
		must(t, <-second)
		if n := count(w.did, images); n != 1 {
			t.Errorf("%s %d times: %v", images, n, w.did)
		}
	}
}

func TestAStageThatIsMadeWhileItsProjectIsDestroyedIsDestroyedToo(t *testing.T) {
	w := begun(t)
	w.spy(func() {}, func() {
		must(t, w.store.AddStage(context.Background(), setops.Stage{ID: "id-9", ProjectID: "id-1", Name: "late"}, ada))
	})
	must(t, w.DestroyProject(t.Context(), ada, "demo", "shop"))
	if !slices.Contains(w.did, "stage id-9") {
		t.Errorf("its tasks are left: %v", w.did)
	}
}

func TestAStageThatCannotBeDestroyedKeepsNoOther(t *testing.T) {
	w := begun(t)
	for _, name := range []string{"production", "staging"} {
		w.fault = errors.New("engine on fire")
		if err := w.DestroyStage(t.Context(), ada, "demo", "shop", name); !errors.Is(err, w.fault) {
			t.Fatal(err)
		}
	}
	remove := w.RemoveStage
	w.RemoveStage = func(ctx context.Context, id string) error {
		w.fault = nil
		if id == "id-2" {
			w.fault = errors.New("still on fire")
		}
		return remove(ctx, id)
	}
	if err := w.Resume(t.Context()); err == nil {
		t.Error("nobody is told")
	}
	left, err := w.store.Destroying(t.Context())
	if err != nil || len(left) != 1 || left[0].ID != "id-2" {
		t.Errorf("left: %v, %v", left, err)
	}
}
