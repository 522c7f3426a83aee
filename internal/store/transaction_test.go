package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/setopsco/setops/internal/setops"
)

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

func TestAFullDiskHasItsName(t *testing.T) {
	if err := named(fmt.Errorf("write: %w", &pgconn.PgError{Code: "53100"})); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	if err := named(errors.New("broken")); errors.Is(err, syscall.ENOSPC) || isTemporary(err) {
		t.Errorf("got %v", err)
	}
}
