package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

func TestTheDatabaseIsItsOwnersAloneAndOpensAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deep", "setops.db")
	for range 2 {
		s, err := Open(t.Context(), file)
		must(t, err)
		id, err := s.AddOrganization(t.Context(), "o-"+time.Now().String(), "demo", now)
		must(t, err)
		if n, err := s.CountUsers(t.Context()); err != nil || n != 0 || id == "" {
			t.Errorf("%d users, organization %q, %v", n, id, err)
		}
		must(t, s.Ping(t.Context()))
		must(t, s.Close())
	}
	for _, path := range []string{file, filepath.Dir(file)} {
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
	}
}

func TestATransactionIsAllOrNothing(t *testing.T) {
	s := withStage(t)
	broken := errors.New("broken")
	err := s.change(t.Context(), func(tx *sql.Tx) error {
		if _, err := exec(t.Context(), tx, `DELETE FROM stages`); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, ok, err := s.Stage(t.Context(), "p-1", "production"); !ok || err != nil {
		t.Errorf("the stage is gone: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = s.change(ctx, func(tx *sql.Tx) error {
		_, err := exec(ctx, tx, `DELETE FROM stages`)
		cancel()
		return err
	})
	if err == nil {
		t.Error("a cancelled transaction was committed")
	}
	if _, ok, err := s.Stage(t.Context(), "p-1", "production"); !ok || err != nil {
		t.Errorf("the stage is gone: %v", err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	s := withStage(t)
	var id string
	if _, err := found(s.read.QueryRowContext(t.Context(), `DELETE FROM stages RETURNING id`).Scan(&id)); err == nil {
		t.Error("a reader has deleted stages")
	}
}

func TestNamesAreUniqueWhereTheyMustBe(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	refused(t, s.AddProject(ctx, "o-1", setops.Project{ID: "p-2", Name: "shop"}, ada), setops.ProjectAlreadyExists)
	refused(t, s.AddStage(ctx, setops.Stage{ID: "s-2", ProjectID: "p-1", Name: "production"}, ada), setops.StageAlreadyExists)
	must(t, s.AddProject(ctx, "o-1", setops.Project{ID: "p-2", Name: "blog"}, bob))
	must(t, s.AddStage(ctx, setops.Stage{ID: "s-2", ProjectID: "p-2", Name: "production"}, bob))
	roles, err := s.Roles(ctx, ada.ID)
	must(t, err)
	if want := map[string]setops.Role{"p-1": setops.Admin, "s-1": setops.Admin}; !reflect.DeepEqual(roles, want) {
		t.Errorf("a refused creation left a role: %v", roles)
	}
	if err := s.AddUser(ctx, setops.User{ID: "u-3", Email: ada.Email}, "hash", "o-1", now); err == nil {
		t.Error("two users have one address")
	}
	id, err := s.AddOrganization(ctx, "o-2", "demo", now)
	if err != nil || id != "o-1" {
		t.Errorf("the organization that is there is %q, %v", id, err)
	}
}

func TestRolesOfAScopeGoWithIt(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	must(t, s.Grant(ctx, "s-1", bob.ID, setops.Member))
	must(t, s.Grant(ctx, "s-1", bob.ID, setops.Admin))
	roles, err := s.Roles(ctx, bob.ID)
	must(t, err)
	if want := map[string]setops.Role{"s-1": setops.Admin}; !reflect.DeepEqual(roles, want) {
		t.Errorf("roles %v", roles)
	}
	must(t, s.RemoveStage(ctx, "s-1"))
	must(t, s.RemoveProject(ctx, "p-1"))
	for _, u := range []setops.User{ada, bob} {
		roles, err := s.Roles(ctx, u.ID)
		must(t, err)
		if len(roles) > 0 {
			t.Errorf("%s keeps %v", u.Email, roles)
		}
	}
}

func TestOnlyMembersOfAnOrganizationSignInToIt(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	if _, _, ok, err := s.Login(ctx, "other", ada.Email); ok || err != nil {
		t.Errorf("a login to another organization: %v", err)
	}
	if u, hash, ok, err := s.Login(ctx, "demo", ada.Email); !ok || err != nil || u != ada || hash != "hash of ada" {
		t.Errorf("%v %q %v %v", u, hash, ok, err)
	}
}

func TestARemovedStageTakesAllThatIsOnIt(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	pass(t, s, "c-1", start("web", "g-1"), create("web"), release("web", 1), activate("web", 1))
	stage(t, s, bob, create("worker"))
	busy, err := s.MarkDestroying(ctx, "s-1", ada.Email, now)
	if busy || err != nil {
		t.Errorf("%v, %v", busy, err)
	}
	refused(t, s.AppendCommands(ctx, "s-1", ada.ID, "x", now, nil, idempotency.Receipt[[]changeset.Command]{}), setops.ChangesetLocked)
	_, err = s.Enqueue(ctx, ticket("c-2", bob))
	refused(t, err, setops.ChangesetLocked)
	refs, err := s.Destroying(ctx)
	if err != nil || len(refs) != 1 || refs[0] != (setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}) {
		t.Errorf("%v %v", refs, err)
	}
	if refs, err = s.StageRefs(ctx); err != nil || len(refs) != 0 {
		t.Errorf("%v %v", refs, err)
	}
	must(t, s.RemoveStage(ctx, "s-1"))
	for _, table := range []string{"stages", "apps", "releases", "release_ids", "generations", "changesets", "commands", "commits", "steps"} {
		var n int
		must(t, s.read.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n))
		if n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	refused(t, s.AppendCommands(ctx, "s-1", ada.ID, "x", now, nil, idempotency.Receipt[[]changeset.Command]{}), setops.ChangesetLocked)
}

func TestReadingGoesOnWhenConnectionsAreGone(t *testing.T) {
	s := withStage(t)
	for range 3 {
		if refs, err := s.StageRefs(t.Context()); err != nil || len(refs) != 1 {
			t.Fatalf("%v, %v", refs, err)
		}
		pool := s.read.(interface{ SetMaxIdleConns(n int) })
		pool.SetMaxIdleConns(-1) // closes what is idle
		pool.SetMaxIdleConns(1)
	}
}
