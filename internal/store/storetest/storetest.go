// Package storetest opens fresh stores for tests, on each database that the store can be: SQLite in a file, and PostgreSQL.
// A package whose tests open stores runs them all on both, with
//
//	func TestMain(m *testing.M) { os.Exit(storetest.Run(m)) }
//
// and opens its stores with Open. How PostgreSQL is had is the affair of package pgtest.
package storetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/pgtest"
)

// Run is for TestMain: it runs all tests of the package on each database.
func Run(m interface{ Run() int }) int { return pgtest.Run(m) }

// Open gives a fresh store that is closed and removed with the test.
func Open(t testing.TB) *store.Store {
	t.Helper()
	s, err := New(t).Open(context.Background())
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

// A Place is where a store is, and stays when it is closed.
type Place struct {
	File string // of SQLite, or
	URL  string // of PostgreSQL
}

// New gives a place where no store is yet. It is removed with the test.
func New(t testing.TB) Place {
	t.Helper()
	if pgtest.IsPostgres() {
		return Place{URL: pgtest.Database(t, migrated)}
	}
	return Place{File: filepath.Join(Dir(t), "setops.db")}
}

// Dir gives a directory, in memory where it can, for what tests kill processes of. It is removed with the test.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(pgtest.TempDir(), "storetest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Postgres gives the URL of a database of PostgreSQL without rows, in whatever round, for tests that are of PostgreSQL
// alone. They are left out where there is none.
func Postgres(t testing.TB) string {
	t.Helper()
	pgtest.Need(t)
	return pgtest.Database(t, migrated)
}

// Make gives a database of PostgreSQL for those who have no test in their hands, and what removes it; for SQLite
// there is nothing to make, and the URL is empty.
func Make() (url string, remove func() error, err error) {
	if !pgtest.IsPostgres() {
		return "", func() error { return nil }, nil
	}
	return pgtest.Make(migrated)
}

// Open opens the store that is there.
func (p Place) Open(ctx context.Context) (*store.Store, error) {
	if p.URL != "" {
		return store.Connect(ctx, p.URL)
	}
	return store.Open(ctx, p.File)
}

// migrated saves each test the migration.
func migrated(url string) error {
	s, err := store.Connect(context.Background(), url)
	return errors.Join(err, closed(s))
}

func closed(s *store.Store) error {
	if s == nil {
		return nil
	}
	return s.Close()
}
