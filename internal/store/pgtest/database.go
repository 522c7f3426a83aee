package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// To make a database takes PostgreSQL a quarter of a second, and to empty one some milliseconds: those that a test has
// done with are kept for the next.
type database struct {
	name string
	url  string
	own  *sql.DB // one connection, which empties it
}

var idle struct {
	sync.Mutex
	databases []database
}

// Database gives the URL of a database without rows, which is the test's alone. prepare makes the tables of one, and must
// have closed its connections when it returns; it is the same function in all of a process.
func Database(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	return given(t, func() (string, func() error, error) { return Make(prepare) })
}

// Blank gives the URL of a database without tables. It costs more.
func Blank(t testing.TB) string {
	t.Helper()
	return given(t, func() (string, func() error, error) {
		s, err := started()
		if err != nil {
			return "", nil, err
		}
		d, err := s.create()
		return d.url, func() error { return s.drop(d) }, err
	})
}

func given(t testing.TB, make func() (string, func() error, error)) string {
	t.Helper()
	url, remove, err := make()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := remove(); err != nil {
			t.Error(err)
		}
	})
	return url
}

// Make is Database for those who have no test in their hands: they call remove.
func Make(prepare func(url string) error) (url string, remove func() error, err error) {
	s, err := started()
	if err != nil {
		return "", nil, err
	}
	d, ok := take()
	if !ok {
		if d, err = s.create(); err != nil {
			return "", nil, err
		}
		if err := prepare(d.url); err != nil {
			return "", nil, errors.Join(fmt.Errorf("prepare the database of a test: %w", err), s.drop(d))
		}
	}
	return d.url, func() error { return s.giveBack(d) }, nil
}

func take() (d database, ok bool) {
	idle.Lock()
	defer idle.Unlock()
	last := len(idle.databases) - 1
	if last < 0 {
		return d, false
	}
	d, idle.databases = idle.databases[last], idle.databases[:last]
	return d, true
}

// giveBack empties a database for the next test.
func (s *server) giveBack(d database) error {
	if err := execute(d.own, empty); err != nil {
		return errors.Join(err, s.drop(d))
	}
	idle.Lock()
	defer idle.Unlock()
	idle.databases = append(idle.databases, d)
	return nil
}

// empty removes all rows but those that tell which migrations were made. Whoever is still connected has gone wrong, and
// shall not stand in the way.
const empty = `DO $$
DECLARE name text;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'goose_db_version'
  LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
END $$`

// create makes a database that sorts as people of some country do, so that no test passes by luck.
func (s *server) create() (database, error) {
	d := database{name: name()}
	d.url = s.url(d.name)
	err := s.exec("CREATE DATABASE " + d.name + " TEMPLATE template0 STRATEGY FILE_COPY LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
	if err != nil {
		return d, err
	}
	if d.own, err = sql.Open("pgx", d.url); err == nil {
		d.own.SetMaxOpenConns(1)
	}
	return d, err
}

func (s *server) drop(d database) error {
	return errors.Join(d.own.Close(), s.exec("DROP DATABASE IF EXISTS "+d.name+" WITH (FORCE)"))
}

func (s *server) exec(statement string) error { return execute(s.admin, statement) }

func execute(db *sql.DB, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
