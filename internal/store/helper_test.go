package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

var (
	now = time.UnixMilli(1_700_000_000_123).UTC()
	ada = setops.User{ID: "u-ada", Email: "ada@example.com", OrganizationID: "o-1", Organization: "demo"}
	bob = setops.User{ID: "u-bob", Email: "bob@example.com", OrganizationID: "o-1", Organization: "demo"}
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "setops.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// withStage gives a store with organization demo, users ada and bob, project p-1 and stage s-1.
func withStage(t *testing.T) *Store {
	t.Helper()
	s := open(t)
	ctx := t.Context()
	_, err := s.AddOrganization(ctx, "o-1", "demo", now)
	must(t, err)
	must(t, s.AddUser(ctx, ada, "hash of ada", "o-1", now))
	must(t, s.AddUser(ctx, bob, "hash of bob", "o-1", now))
	must(t, s.AddProject(ctx, "o-1", setops.Project{ID: "p-1", Name: "shop", CreatedAt: now, CreatedBy: ada.Email}, ada))
	must(t, s.AddStage(ctx, setops.Stage{ID: "s-1", ProjectID: "p-1", Name: "production", CreatedAt: now, CreatedBy: ada.Email}, ada))
	return s
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

// stage appends commands as they are.
func stage(t *testing.T, s *Store, u setops.User, commands ...changeset.Command) {
	t.Helper()
	must(t, s.AppendCommands(t.Context(), "s-1", u.ID, "changeset of "+u.ID+time.Now().String(), now,
		func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return commands, nil
		}, idempotency.Receipt[[]changeset.Command]{}))
}

// pass takes a commit of ada's over its commit point and ends it.
func pass(t *testing.T, s *Store, id string, p plan.Plan, commands ...changeset.Command) setops.Spec {
	t.Helper()
	ctx := t.Context()
	stage(t, s, ada, commands...)
	c, err := s.BeginCommit(ctx, id, "s-1", ada.ID, now)
	must(t, err)
	before, err := s.Spec(ctx, "s-1")
	must(t, err)
	after, problems := changeset.Fold(before, c.Changeset.Commands)
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	fingerprints := map[string]string{}
	for name := range after.Apps {
		fingerprints[name] = "fingerprint of " + name
	}
	must(t, s.WriteJournal(ctx, id, "s-1", p, fingerprints, now))
	must(t, s.Pass(ctx, id, "s-1", after, p))
	must(t, s.EndCommit(ctx, c, nil, now))
	return after
}

func staged(t *testing.T, s *Store, u setops.User) []string {
	t.Helper()
	c, ok, err := s.Changeset(context.Background(), "s-1", u.ID)
	must(t, err)
	if !ok {
		return nil
	}
	var names []string
	for _, command := range c.Commands {
		names = append(names, command.Name()+" "+command.App())
	}
	return names
}
