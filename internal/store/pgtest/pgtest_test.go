package pgtest

import (
	"database/sql"
	"errors"
	"os"
	"testing"
)

func prepare(url string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	_, err = db.Exec(`CREATE TABLE a (b TEXT)`)
	return errors.Join(err, db.Close())
}

func count(t *testing.T, url, then string) (n int) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`SELECT count(*) FROM a`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(then); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestADatabaseThatIsGivenAgainIsEmpty(t *testing.T) {
	Need(t)
	first, remove, err := Make(prepare)
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, first, `INSERT INTO a VALUES ('x')`); n != 0 {
		t.Errorf("%d rows", n)
	}
	if second := Database(t, prepare); second == first {
		t.Error("two tests have one database")
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	again := Database(t, prepare)
	if n := count(t, again, `SELECT 1`); again != first || n != 0 {
		t.Errorf("%d rows in %s after %s", n, again, first)
	}
}

type rounds struct {
	seen []bool
	code int
}

func (r *rounds) Run() int {
	r.seen = append(r.seen, IsPostgres())
	return r.code
}

func TestAllTestsRunOnBothDatabases(t *testing.T) {
	Need(t)
	r := rounds{}
	if code := Run(&r); code != 0 || len(r.seen) != 2 || r.seen[0] || !r.seen[1] || IsPostgres() {
		t.Errorf("rounds %v, code %d", r.seen, code)
	}
	r = rounds{code: 3}
	if code := Run(&r); code != 3 || len(r.seen) != 1 {
		t.Errorf("rounds %v, code %d", r.seen, code)
	}
}

func TestWithoutPostgreSQLTheRoundIsLeftOutUnlessNoneMayBe(t *testing.T) {
	for all, want := range map[string]int{"": 0, "1": 1} {
		t.Setenv("SETOPS_TEST_ALL", all)
		if code := leaveOut(os.ErrNotExist); code != want {
			t.Errorf("SETOPS_TEST_ALL=%s: code %d", all, code)
		}
	}
}
