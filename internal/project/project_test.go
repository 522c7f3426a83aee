package project_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/project"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
)

var (
	ada = setops.User{ID: "u-ada", Email: "ada@example.com", OrganizationID: "o-1", Organization: "demo"}
	bob = setops.User{ID: "u-bob", Email: "bob@example.com", OrganizationID: "o-1", Organization: "demo"}
)

type world struct {
	*project.Service
	store *store.Store
	did   []string
	fault error // of taking a stage out of the engine
}

// begun gives a project shop of ada's with the stages production and staging.
func begun(t *testing.T) *world {
	t.Helper()
	ctx := t.Context()
	s, err := store.Open(ctx, filepath.Join(t.TempDir(), "setops.db"))
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	_, err = s.AddOrganization(ctx, "o-1", "demo", time.Now())
	must(t, err)
	must(t, s.AddUser(ctx, ada, "hash", "o-1", time.Now()))
	must(t, s.AddUser(ctx, bob, "hash", "o-1", time.Now()))
	w := &world{store: s}
	w.Service = &project.Service{
		Store: s, Access: auth.Access{Store: s}, Now: time.Now,
		RemoveStage: func(_ context.Context, id string) error {
			w.did = append(w.did, "stage "+id)
			return w.fault
		},
		RemoveImages: func(_ context.Context, prefix string) error {
			w.did = append(w.did, "images "+prefix)
			return nil
		},
	}
	_, err = w.CreateProject(ctx, ada, "demo", "shop", "id-1")
	must(t, err)
	for i, name := range []string{"production", "staging"} {
		_, err := w.CreateStage(ctx, ada, "demo", "shop", name, fmt.Sprint("id-", i+2))
		must(t, err)
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, code setops.Code) {
	t.Helper()
	if !setops.IsCode(err, code) {
		t.Errorf("got %v, not %s", err, code)
	}
}

func TestTheCreatorIsTheAdmin(t *testing.T) {
	w := begun(t)
	roles, err := w.store.Roles(t.Context(), ada.ID)
	must(t, err)
	if len(roles) != 3 {
		t.Errorf("roles %v", roles)
	}
	for scope, role := range roles {
		if role != setops.Admin {
			t.Errorf("%s on %s", role, scope)
		}
	}
}

func TestProjectsAreListedForThoseWhoMaySeeThem(t *testing.T) {
	w := begun(t)
	_, err := w.CreateProject(t.Context(), bob, "demo", "blog", "id-9")
	must(t, err)
	must(t, w.store.Grant(t.Context(), "id-2", bob.ID, setops.Member)) // stage production of shop
	for _, test := range []struct {
		user setops.User
		want []string
	}{{ada, []string{"shop"}}, {bob, []string{"blog", "shop"}}} {
		all, err := w.Projects(t.Context(), test.user, "demo")
		must(t, err)
		var names []string
		for _, p := range all {
			names = append(names, p.Name)
		}
		if !slices.Equal(names, test.want) {
			t.Errorf("%s sees %v", test.user.Email, names)
		}
	}
	_, err = w.Projects(t.Context(), ada, "other")
	refused(t, err, setops.OrganizationDoesNotExist)
}

func TestNamesAndRolesAreChecked(t *testing.T) {
	w := begun(t)
	ctx := t.Context()
	_, err := w.CreateProject(ctx, ada, "demo", "No", "id-9")
	refused(t, err, setops.ProjectNameInvalid)
	_, err = w.CreateProject(ctx, bob, "demo", "shop", "id-9")
	refused(t, err, setops.ProjectAlreadyExists)
	_, err = w.CreateProject(ctx, ada, "other", "shop", "id-9")
	refused(t, err, setops.OrganizationDoesNotExist)
	_, err = w.CreateStage(ctx, ada, "demo", "shop", "no", "id-9")
	refused(t, err, setops.CodeStageNameInvalid)
	_, err = w.CreateStage(ctx, bob, "demo", "shop", "mine", "id-9")
	refused(t, err, setops.ProjectDoesNotExist)
	refused(t, w.DestroyStage(ctx, bob, "demo", "shop", "production"), setops.ProjectDoesNotExist)
	refused(t, w.DestroyProject(ctx, bob, "demo", "shop"), setops.ProjectDoesNotExist)
	if w.did != nil {
		t.Errorf("destroyed %v", w.did)
	}
}

func TestAProjectIsDestroyedWithAllItsStages(t *testing.T) {
	w := begun(t)
	must(t, w.DestroyProject(t.Context(), ada, "demo", "shop"))
	want := []string{
		"stage id-2", "images demo/shop/production", "stage id-3", "images demo/shop/staging", "images demo/shop",
	}
	if !slices.Equal(w.did, want) {
		t.Errorf("did %v", w.did)
	}
	refused(t, w.DestroyProject(t.Context(), ada, "demo", "shop"), setops.ProjectDoesNotExist)
	roles, err := w.store.Roles(t.Context(), ada.ID)
	if err != nil || len(roles) > 0 {
		t.Errorf("roles are left: %v, %v", roles, err)
	}
}

func TestAStageIsNotDestroyedWhileItIsCommitted(t *testing.T) {
	w := begun(t)
	ctx := t.Context()
	must(t, w.store.AppendCommands(ctx, "id-2", ada.ID, "c", time.Now(),
		func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return []changeset.Command{&changeset.AppCreate{AppName: "web"}}, nil
		}, idempotency.Receipt[[]changeset.Command]{}))
	_, err := w.store.BeginCommit(ctx, "commit", "id-2", ada.ID, time.Now())
	must(t, err)
	refused(t, w.DestroyStage(ctx, ada, "demo", "shop", "production"), setops.CommitAlreadyRunning)
	if w.did != nil {
		t.Errorf("destroyed %v", w.did)
	}
}

func TestDestroyingGoesOnAfterAFaultAndAfterARestart(t *testing.T) {
	w := begun(t)
	ctx := t.Context()
	w.fault = errors.New("engine on fire")
	if err := w.DestroyStage(ctx, ada, "demo", "shop", "production"); !errors.Is(err, w.fault) {
		t.Errorf("got %v", err)
	}
	if st, ok, err := w.store.Stage(ctx, "id-1", "production"); !ok || err != nil || !st.Destroying {
		t.Errorf("%+v, %v", st, err)
	}
	w.fault, w.did = nil, nil
	must(t, w.Resume(ctx))
	if !slices.Equal(w.did, []string{"stage id-2", "images demo/shop/production"}) {
		t.Errorf("did %v", w.did)
	}
	if _, ok, err := w.store.Stage(ctx, "id-1", "production"); ok || err != nil {
		t.Errorf("the stage is there still: %v", err)
	}
	w.did = nil
	must(t, w.Resume(ctx))
	if w.did != nil {
		t.Errorf("did %v", w.did)
	}
}

func TestWhoGoesAwayDoesNotStopWhatWasBegun(t *testing.T) {
	w := begun(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.RemoveStage = func(inner context.Context, _ string) error { cancel(); return inner.Err() }
	must(t, w.DestroyStage(ctx, ada, "demo", "shop", "production"))
}

func TestWhatIsCreatedAgainUnderItsOwnIDIsTheSame(t *testing.T) {
	w := begun(t)
	ctx := t.Context()
	p, err := w.CreateProject(ctx, ada, "demo", "shop", "id-1")
	if err != nil || p.ID != "id-1" || p.CreatedBy != ada.Email {
		t.Errorf("%+v, %v", p, err)
	}
	st, err := w.CreateStage(ctx, ada, "demo", "shop", "staging", "id-3")
	if err != nil || st.ID != "id-3" || st.CreatedBy != ada.Email {
		t.Errorf("%+v, %v", st, err)
	}
	_, err = w.CreateStage(ctx, ada, "demo", "shop", "staging", "id-2")
	refused(t, err, setops.StageAlreadyExists)
	_, err = w.CreateProject(ctx, ada, "demo", "blog", "id-1")
	refused(t, err, setops.ProjectAlreadyExists)
}
