package store

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store/pgtest"
)

var (
	now = time.UnixMilli(1_700_000_000_123).UTC()
	ada = setops.User{ID: "u-ada", Email: "ada@example.com", OrganizationID: "o-1", Organization: "demo"}
	bob = setops.User{ID: "u-bob", Email: "bob@example.com", OrganizationID: "o-1", Organization: "demo"}
)

// All tests run on SQLite, and once more on PostgreSQL.
func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

// place gives what opens a store that nobody else has, and opens the same one each time.
func place(t *testing.T) func() *Store {
	t.Helper()
	file := filepath.Join(t.TempDir(), "setops.db")
	connect := func() (*Store, error) { return Open(t.Context(), file) }
	if pgtest.IsPostgres() {
		url := pgtest.Database(t, migrated)
		connect = func() (*Store, error) { return Connect(t.Context(), url) }
	}
	return func() *Store {
		t.Helper()
		s, err := connect()
		must(t, err)
		return s
	}
}

func migrated(url string) error {
	s, err := Connect(context.Background(), url)
	if err != nil {
		return err
	}
	return s.Close()
}

func open(t *testing.T) *Store {
	t.Helper()
	s := place(t)()
	t.Cleanup(func() { must(t, s.Close()) })
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

// ticket asks for a commit on stage s-1.
func ticket(id string, u setops.User) changeset.Ticket {
	return changeset.Ticket{ID: id, StageID: "s-1", UserID: u.ID, Now: now, QueueUntil: now.Add(time.Hour)}
}

// begin gives a commit its turn.
func begin(t *testing.T, s *Store, id string, u setops.User) changeset.Commit {
	t.Helper()
	_, err := s.Enqueue(t.Context(), ticket(id, u))
	must(t, err)
	c, ok, err := s.Claim(t.Context(), "s-1", "owner", now, now.Add(time.Minute))
	must(t, err)
	if !ok || c.ID != id {
		t.Fatalf("commit %s has the turn of %s", c.ID, id)
	}
	return c
}

// pass takes a commit of ada's over its commit point and ends it.
func pass(t *testing.T, s *Store, id string, p plan.Plan, commands ...changeset.Command) setops.Spec {
	t.Helper()
	ctx := t.Context()
	stage(t, s, ada, commands...)
	c := begin(t, s, id, ada)
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
	must(t, s.WriteJournal(ctx, c, p, fingerprints, changeset.DeltaOf(before, after), now))
	must(t, s.Pass(ctx, c, after, p, now))
	must(t, s.EndCommit(ctx, c, changeset.Done, nil, now))
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
