package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store/pgtest"
)

// onPostgres leaves out what SQLite does not do.
func onPostgres(t *testing.T) {
	t.Helper()
	if !pgtest.IsPostgres() {
		t.Skip("runs in the round on PostgreSQL")
	}
}

func isTemporary(err error) bool {
	var e *setops.Error
	return errors.As(err, &e) && e.Temporary && e.Kind == setops.Fault
}

// version changes stage s-1, and gives the version that it had.
func version(ctx context.Context, tx *sql.Tx) (had int, err error) {
	if err := tx.QueryRowContext(ctx, `SELECT version FROM stages WHERE id = 's-1'`).Scan(&had); err != nil {
		return 0, err
	}
	_, err = exec(ctx, tx, `UPDATE stages SET version = $1 WHERE id = 's-1'`, had+1)
	return had, err
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

func TestATransactionThatMetAnotherIsRunAgain(t *testing.T) {
	onPostgres(t)
	s := withStage(t)
	ctx := t.Context()
	calls, last := 0, 0
	must(t, s.change(ctx, func(tx *sql.Tx) (err error) {
		calls++
		if last, err = version(ctx, tx); err != nil {
			return err
		}
		if calls > 1 {
			return nil
		}
		// Another reads what this one has changed, as it was before, and writes what this one reads.
		_, err = tx.ExecContext(ctx, `SELECT count(*) FROM domains`)
		if err != nil {
			return err
		}
		return s.change(ctx, func(other *sql.Tx) error {
			var seen int
			if err := other.QueryRowContext(ctx, `SELECT version FROM stages WHERE id = 's-1'`).Scan(&seen); err != nil {
				return err
			}
			_, err := exec(ctx, other, `INSERT INTO domains (name, stage_id, app) VALUES ('a.example', 's-1', $1)`, fmt.Sprint(seen))
			return err
		})
	}))
	st, _, err := s.Stage(ctx, "p-1", "production")
	if err != nil || calls != 2 || last != 0 || st.Version != 1 {
		t.Errorf("%d calls, which saw %d last; version %d, %v", calls, last, st.Version, err)
	}
}

func TestATransactionThatAlwaysMeetsOthersEnds(t *testing.T) {
	onPostgres(t)
	s := withStage(t)
	calls := 0
	err := s.change(t.Context(), func(*sql.Tx) error {
		calls++
		return fmt.Errorf("write: %w", &pgconn.PgError{Code: "40P01"})
	})
	if !isTemporary(err) || calls != attempts {
		t.Errorf("%d calls, %v", calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = s.change(ctx, func(*sql.Tx) error {
		cancel()
		return &pgconn.PgError{Code: "40001"}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("who is gone waits for it: %v", err)
	}
}

func TestALostConnectionIsTemporaryAndTheNextOneWorks(t *testing.T) {
	onPostgres(t)
	s := withStage(t)
	ctx := t.Context()
	for range 2 * postgresWriters {
		err := s.change(ctx, func(tx *sql.Tx) error {
			if _, err := version(ctx, tx); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, `SELECT pg_terminate_backend(pg_backend_pid())`)
			return err
		})
		if !isTemporary(err) {
			t.Fatalf("got %v", err)
		}
	}
	if st, _, err := s.Stage(ctx, "p-1", "production"); err != nil || st.Version != 0 {
		t.Errorf("version %d, %v", st.Version, err)
	}
	must(t, s.Grant(ctx, "s-1", bob.ID, setops.Member))
}

func TestWhoGivesUpLeavesNothingBehind(t *testing.T) {
	s := withStage(t)
	for range 2 * postgresWriters {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.change(ctx, func(tx *sql.Tx) error {
			_, err := version(ctx, tx)
			cancel()
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	st, _, err := s.Stage(t.Context(), "p-1", "production")
	if err != nil || st.Version != 0 {
		t.Errorf("version %d, %v", st.Version, err)
	}
	must(t, s.Grant(t.Context(), "s-1", bob.ID, setops.Member))
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

func TestAFullDiskHasItsName(t *testing.T) {
	if err := named(fmt.Errorf("write: %w", &pgconn.PgError{Code: "53100"})); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	if err := named(errors.New("broken")); errors.Is(err, syscall.ENOSPC) || isTemporary(err) {
		t.Errorf("got %v", err)
	}
}

// cable is between a store and its database, and breaks at the commit that it is told to.
type cable struct {
	listener net.Listener
	to       string

	mu      sync.Mutex
	breaks  bool
	forward bool // whether the commit arrives, and its answer does not
}

func newCable(t *testing.T, address string) (c *cable, through string) {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	c = &cable{listener: l, to: u.Host}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { c.carry(conn) })
		}
	})
	t.Cleanup(func() { must(t, l.Close()); wg.Wait() })
	u.Host = l.Addr().String()
	return c, u.String()
}

func (c *cable) breakAtCommit(forward bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.breaks, c.forward = true, forward
}

func (c *cable) isBroken(packet []byte) (broken, forward bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	broken = c.breaks && bytes.Contains(packet, []byte("commit\x00"))
	if broken {
		c.breaks = false
	}
	return broken, c.forward
}

func (c *cable) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer server.Close()
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	packet := make([]byte, 64<<10)
	for {
		n, err := client.Read(packet)
		if err != nil {
			break
		}
		broken, forward := c.isBroken(packet[:n])
		if broken {
			_ = client.Close() // before the answer can come
		}
		if !broken || forward {
			_, _ = server.Write(packet[:n])
		}
	}
	_ = server.(*net.TCPConn).CloseWrite()
	<-answers
}

func TestACommitWithoutAnAnswerIsAskedAbout(t *testing.T) {
	onPostgres(t)
	address := pgtest.OverTCP(t, pgtest.Database(t, migrated))
	c, through := newCable(t, address)
	s, err := Connect(t.Context(), through)
	must(t, err)
	defer func() { must(t, s.Close()) }()
	for _, arrives := range []bool{true, false} {
		key := fmt.Sprint("arrives ", arrives)
		c.breakAtCommit(arrives)
		have, err := s.Install(t.Context(), key, "x")
		if arrives != (err == nil) || !arrives && !isTemporary(err) {
			t.Errorf("%s: %q, %v", key, have, err)
		}
		all, err := s.Installation(t.Context())
		if _, ok := all[key]; ok != arrives || err != nil {
			t.Errorf("%s: the database has %v, %v", key, all, err)
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
