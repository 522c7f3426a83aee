package store

import (
	"database/sql"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/store/pgtest"
)

// onPostgres leaves out what SQLite does not do.
func onPostgres(t *testing.T) {
	t.Helper()
	if !pgtest.IsPostgres() {
		t.Skip("runs in the round on PostgreSQL")
	}
}

func TestServersThatStartAtOnceMigrateOneAfterTheOther(t *testing.T) {
	onPostgres(t)
	address := pgtest.Blank(t)
	ctx := t.Context()
	other, err := sql.Open("pgx", address)
	must(t, err)
	other.SetMaxOpenConns(1)
	defer func() { must(t, other.Close()) }()
	count := func(query string) (n int) {
		must(t, other.QueryRowContext(ctx, query).Scan(&n))
		return n
	}
	_, err = other.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrationLock)
	must(t, err)
	const servers = 3
	var wg sync.WaitGroup
	for range servers {
		wg.Go(func() {
			s, err := Connect(ctx, address)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(s.Ping(ctx), s.Close()); err != nil {
				t.Error(err)
			}
		})
	}
	deadline := time.Now().Add(30 * time.Second)
	for count(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`) < servers {
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for the lock of migrations")
		}
	}
	if n := count(`SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`); n != 0 {
		t.Errorf("%d tables were made while another server migrates", n)
	}
	_, err = other.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, migrationLock)
	must(t, err)
	wg.Wait()
}

func TestWhatNoTextCanBeIsNotThere(t *testing.T) {
	s := withStage(t)
	ctx := t.Context()
	for _, name := range []string{"a\x00b", "\xff"} {
		if _, ok, err := s.Project(ctx, "o-1", name); ok || err != nil {
			t.Errorf("project %q: %v, %v", name, ok, err)
		}
		if _, _, ok, err := s.Login(ctx, "demo", name); ok || err != nil {
			t.Errorf("user %q: %v, %v", name, ok, err)
		}
	}
}

func TestADatabaseThatIsNotThereIsSaidWithoutItsPassword(t *testing.T) {
	onPostgres(t)
	u, err := url.Parse(pgtest.OverTCP(t, pgtest.Database(t, migrated)))
	must(t, err)
	for what, change := range map[string]func(*url.URL){
		"no database": func(u *url.URL) { u.Path = "/nothere"; u.User = url.UserPassword("postgres", password(u)) },
		"no server":   func(u *url.URL) { u.Host = "127.0.0.1:1" },
		"no password": func(u *url.URL) { u.User = url.UserPassword("postgres", "wr0ng secret") },
	} {
		wrong := *u
		change(&wrong)
		_, err := Connect(t.Context(), wrong.String())
		if err == nil || strings.Contains(err.Error(), password(&wrong)) || !strings.Contains(err.Error(), Shown(wrong.String())) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAURLMayAskForTheServerThatTakesWrites(t *testing.T) {
	onPostgres(t)
	s, err := Connect(t.Context(), pgtest.Database(t, migrated)+"&target_session_attrs=read-write")
	must(t, err)
	must(t, s.Ping(t.Context()))
	must(t, s.Close())
}

func password(u *url.URL) string {
	p, _ := u.User.Password()
	return p
}

func TestThePasswordMayBeInTheEnvironment(t *testing.T) {
	onPostgres(t)
	u, err := url.Parse(pgtest.Database(t, migrated))
	must(t, err)
	t.Setenv("PGPASSWORD", password(u))
	u.User = url.User("postgres")
	s, err := Connect(t.Context(), u.String())
	must(t, err)
	must(t, s.Close())
}
