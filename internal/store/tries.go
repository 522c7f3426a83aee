package store

import (
	"context"
	"database/sql"
	"time"
)

// Tries tells how often a password or a code was wrong, and when last; 0: not that anybody remembers. hash stands for who tried what.
func (s *Store) Tries(ctx context.Context, hash string) (wrong int, last time.Time, err error) {
	var at int64
	if _, err = found(s.read.QueryRowContext(ctx, `SELECT wrong, last_at FROM tries WHERE hash = $1`, hash).Scan(&wrong, &at)); err != nil {
		return 0, last, err
	}
	return wrong, fromMillis(at), nil
}

// AddTry counts one that was wrong. It forgets those before a moment, and the oldest where there are most already.
func (s *Store) AddTry(ctx context.Context, hash string, now, forget time.Time, most int) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if _, err := exec(ctx, tx, `DELETE FROM tries WHERE last_at < $1`, millis(forget)); err != nil {
			return err
		}
		if _, err := exec(ctx, tx, `DELETE FROM tries WHERE hash IN (SELECT hash FROM tries WHERE hash <> $1
			ORDER BY last_at DESC, hash LIMIT $3 OFFSET $2)`, hash, most-1, most); err != nil {
			return err
		}
		_, err := exec(ctx, tx, `INSERT INTO tries (hash, wrong, last_at) VALUES ($1, 1, $2)
			ON CONFLICT (hash) DO UPDATE SET wrong = tries.wrong + 1, last_at = excluded.last_at`, hash, millis(now))
		return err
	})
}

// ForgetTries is for who was right.
func (s *Store) ForgetTries(ctx context.Context, hash string) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		_, err := exec(ctx, tx, `DELETE FROM tries WHERE hash = $1`, hash)
		return err
	})
}
