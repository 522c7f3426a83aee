// Package store remembers: organizations and users, projects and stages, the Spec of each stage, changesets, commits
// and their journal. One file per noun. It is SQLite or PostgreSQL, and one SQL text for both: what differs is in
// dialect.go, sqlite.go and postgres.go.
//
// An exported method is one transaction. Rules live elsewhere: the store only refuses what would break its own
// integrity, with the *setops.Error that a user can be shown. Start with Open and Connect.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is the database of one installation.
type Store struct {
	write   *sql.DB
	read    reader
	dialect dialect
	swept   atomic.Int64 // when requests were last swept, in milliseconds
}

// migrate brings the schema up to date. A migration that is merged later than one of a higher number is made up for.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, files, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the database.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return named(s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// collect reads all rows by scan.
func collect[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, ignoreUnstorable(err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, ignoreUnstorable(rows.Err())
}

// reader is a database that is read: prepared, where its driver keeps nothing of a query.
type reader interface {
	querier
	io.Closer
}

// exec runs a statement and gives how many rows it changed.
func exec(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	r, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func millis(t time.Time) int64 { return t.UnixMilli() }

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// orZero is millis of a time that may be zero, which is 0 then.
func orZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return millis(t)
}

// maybeMillis is the zero time for 0.
func maybeMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return fromMillis(ms)
}
