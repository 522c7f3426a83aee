package project_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/project"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
)

var (
	ada = setops.User{ID: "u-ada", Email: "ada@example.com", OrganizationID: "o-1", Organization: "demo"}
	bob = setops.User{ID: "u-bob", Email: "bob@example.com", OrganizationID: "o-1", Organization: "demo"}
)

func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }

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
	s := storetest.Open(t)
	_, err := s.AddOrganization(ctx, "o-1", "demo", time.Now())
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

func TestAStageIsDestroyedWhenItsLastCommitHasEnded(t *testing.T) {
	w := begun(t)
	ctx := t.Context()
	now := time.Now()
	var commits []changeset.Commit
	for _, u := range []setops.User{ada, bob} {
		must(t, w.store.AppendCommands(ctx, "id-2", u.ID, "changeset of "+u.ID, now,
			func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
				return []changeset.Command{&changeset.AppCreate{AppName: "web"}}, nil
			}, idempotency.Receipt[[]changeset.Command]{}))
		c, err := w.store.Enqueue(ctx, changeset.Ticket{ID: "commit-of-" + u.ID, StageID: "id-2", UserID: u.ID, Now: now, QueueUntil: now.Add(time.Hour)})
		must(t, err)
		commits = append(commits, c)
	}
	runs, ok, err := w.store.Claim(ctx, "id-2", "owner", now, now.Add(time.Hour))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	destroyed := make(chan error)
	go func() { destroyed <- w.DestroyStage(ctx, ada, "demo", "shop", "production") }()
	for asked := ""; asked == ""; {
		c, _, err := w.store.Commit(ctx, "id-2", runs.ID)
		must(t, err)
		asked = c.Cancelled
	}
	if waits, _, err := w.store.Commit(ctx, "id-2", commits[1].ID); err != nil || waits.State != changeset.Cancelled {
		t.Errorf("%+v, %v", waits, err)
	}
	select {
	case err := <-destroyed:
		t.Fatalf("the stage is destroyed while a commit runs: %v", err)
	case <-time.After(300 * time.Millisecond): // longer than it takes to look once more
	}
	must(t, w.store.EndCommit(ctx, runs, changeset.Cancelled, nil, now))
	must(t, <-destroyed)
	if !slices.Equal(w.did, []string{"stage id-2", "images demo/shop/production"}) {
		t.Errorf("did %v", w.did)
	}
}

func TestAServerThatStopsLeavesADestructionToItsNextStart(t *testing.T) {
	w := begun(t)
	ctx := t.Context()
	stopping := make(chan struct{})
	w.Stopping = stopping
	must(t, w.store.AppendCommands(ctx, "id-2", ada.ID, "c", time.Now(),
		func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return []changeset.Command{&changeset.AppCreate{AppName: "web"}}, nil
		}, idempotency.Receipt[[]changeset.Command]{}))
	_, err := w.store.Enqueue(ctx, changeset.Ticket{ID: "commit", StageID: "id-2", UserID: ada.ID, Now: time.Now(), QueueUntil: time.Now().Add(time.Hour)})
	must(t, err)
	c, _, err := w.store.Claim(ctx, "id-2", "owner", time.Now(), time.Now().Add(time.Hour))
	must(t, err)
	close(stopping)
	if err := w.DestroyProject(ctx, ada, "demo", "shop"); err == nil || w.did != nil {
		t.Errorf("%v, did %v", err, w.did)
	}
	refusedNew := func() error {
		_, err := w.CreateStage(ctx, ada, "demo", "shop", "more", "id-3")
		return err
	}
	refused(t, refusedNew(), setops.ProjectDoesNotExist)
	must(t, w.store.EndCommit(ctx, c, changeset.Cancelled, nil, time.Now()))
	w.Stopping = nil
	must(t, w.Resume(ctx))
	if _, ok, err := w.store.Project(ctx, "o-1", "shop"); ok || err != nil {
		t.Errorf("the project is there still: %v", err)
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
