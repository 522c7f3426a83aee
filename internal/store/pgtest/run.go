// Package pgtest lets the tests of a package run on every database, and gives them PostgreSQL: a server of this process's
// own, from Debian's package, that ends with it, and fresh databases on it. Tests that want an open store use package
// storetest; this one is for those that cannot import the store. Start with Run.
package pgtest

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
)

// isPostgres says which database the tests that run now are for.
var isPostgres atomic.Bool

// IsPostgres reports whether the tests that run now are for PostgreSQL. Otherwise they are for SQLite.
func IsPostgres() bool { return isPostgres.Load() }

// Run is for TestMain: it runs all tests of the package, on SQLite and then on PostgreSQL. So no test can forget a database.
// Without PostgreSQL the second round is left out, or fails where no test may be left out.
func Run(m interface{ Run() int }) int {
	if code := m.Run(); code != 0 {
		return code
	}
	if err := available(); err != nil {
		return leaveOut(err)
	}
	fmt.Println("--- once more, on PostgreSQL")
	isPostgres.Store(true)
	defer isPostgres.Store(false)
	return m.Run()
}

func leaveOut(why error) int {
	fmt.Println("--- not on PostgreSQL:", why)
	if os.Getenv("SETOPS_TEST_ALL") != "" {
		return 1
	}
	return 0
}

// M runs all tests as Run does, for those who take a testing.M.
type M struct{ *testing.M }

// Run runs them.
func (m M) Run() int { return Run(m.M) }

// Need leaves a test out that is for PostgreSQL alone where there is none, unless no test may be left out.
func Need(t testing.TB) {
	t.Helper()
	err := available()
	if err != nil && leaveOut(err) != 0 {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
}
