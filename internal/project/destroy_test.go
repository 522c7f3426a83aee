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
	roles   func() // has been answered: the last of what one may do with a project
	stage   func() // has been answered: the last of what one may do with a stage
	marking func() // a project
}

func (s spied) Roles(ctx context.Context, userID string) (map[string]setops.Role, error) {
	roles, err := s.Store.Roles(ctx, userID)
	s.roles()
	return roles, err
}

func (s spied) Stage(ctx context.Context, projectID, name string) (setops.Stage, bool, error) {
	st, ok, err := s.Store.Stage(ctx, projectID, name)
	s.stage()
	return st, ok, err
}

func (s spied) MarkProjectDestroying(ctx context.Context, id string, events ...setops.Event) error {
	s.marking()
	return s.Store.MarkProjectDestroying(ctx, id, events...)
}

func nothing() {}

func (w *world) spy(s spied) {
	s.Store = w.store
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
	found := make(chan struct{}, 9)
	tell := func() { found <- struct{}{} }
	for images, c := range map[string]struct {
		destroy func(*world) error
		spied
	}{
		"images demo/shop/production": {
			func(w *world) error { return w.DestroyStage(context.Background(), ada, "demo", "shop", "production") },
			spied{roles: nothing, stage: tell, marking: nothing},
		},
		"images demo/shop": {
			func(w *world) error { return w.DestroyProject(context.Background(), ada, "demo", "shop") },
			spied{roles: tell, stage: nothing, marking: nothing},
		},
	} {
		w, second := begun(t), make(chan error, 1)
		w.spy(c.spied)
		remove, begin := w.RemoveStage, true
		w.RemoveStage = func(ctx context.Context, id string) error {
			if begin { // the second one comes when the first is in the middle
				begin = false
				<-found
				go func() { second <- c.destroy(w) }()
				<-found
			}
			return remove(ctx, id)
		}
		must(t, c.destroy(w))
		must(t, <-second)
		if n := count(w.did, images); n != 1 {
			t.Errorf("%s %d times: %v", images, n, w.did)
		}
	}
}

func TestAStageThatIsMadeWhileItsProjectIsDestroyedIsDestroyedToo(t *testing.T) {
	w := begun(t)
	w.spy(spied{roles: nothing, stage: nothing, marking: func() {
		must(t, w.store.AddStage(context.Background(), setops.Stage{ID: "id-9", ProjectID: "id-1", Name: "late"}, ada))
	}})
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
