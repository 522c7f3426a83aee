package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/setopsco/setops/internal/idempotency"
)

// Request gives the digest and the answer of a request that was done since; ok is false where there was none.
func (s *Store) Request(ctx context.Context, id string, since time.Time) (digest, answer string, ok bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT digest, answer FROM requests WHERE id = $1 AND created_at >= $2`, id, millis(since)).
		Scan(&digest, &answer)
	ok, err = found(err)
	return digest, answer, ok, err
}

// AddRequest remembers a request that was done. Errors: Overload (temporary) where it is there already.
func (s *Store) AddRequest(ctx context.Context, r idempotency.Request, answer string, now time.Time) error {
	return s.change(ctx, func(tx *sql.Tx) error { return s.addRequest(ctx, tx, r, answer, now) })
}

// sign remembers, in the transaction of what it does, that a request was done, and writes it into the audit log. One without a key
// leaves no receipt.
func sign[T any](ctx context.Context, s *Store, tx *sql.Tx, r idempotency.Receipt[T], done T, now time.Time) error {
	if r.Event != nil {
		if err := addEvents(ctx, tx, r.Events(r.Answer(done))); err != nil {
			return err
		}
	}
	if !r.Keyed() {
		return nil
	}
	text, err := r.Text(done)
	if err != nil {
		return err
	}
	return s.addRequest(ctx, tx, r.Request, text, now)
}

// addRequest takes the place of one that is older than requests live. A younger one of another server, which both have not
// seen before, undoes this one.
func (s *Store) addRequest(ctx context.Context, tx *sql.Tx, r idempotency.Request, answer string, now time.Time) error {
	old := millis(now.Add(-idempotency.Life))
	if s.sweepIsDue(now) {
		if _, err := exec(ctx, tx, `DELETE FROM requests WHERE created_at < $1`, old); err != nil {
			return err
		}
	}
	n, err := exec(ctx, tx, `INSERT INTO requests (id, user_id, digest, answer, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, answer = excluded.answer, created_at = excluded.created_at
		WHERE requests.created_at < $6`, r.ID, r.UserID, r.Digest, answer, millis(now), old)
	if err == nil && n == 0 {
		err = idempotency.InWork()
	}
	return err
}

// sweepEvery is how often requests that are too old are looked for.
const sweepEvery = 10 * time.Minute

func (s *Store) sweepIsDue(now time.Time) bool {
	last := s.swept.Load()
	return millis(now)-last >= sweepEvery.Milliseconds() && s.swept.CompareAndSwap(last, millis(now))
}
