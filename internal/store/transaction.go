package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// transactionLimit ends a transaction that hangs, so that it does not hold up the others for ever.
	transactionLimit = 30 * time.Second
	// attempts is how often a transaction is begun that always meets others. The pauses add up to some seconds.
	attempts     = 16
	longestPause = 500 * time.Millisecond
)

// change runs f in a transaction that writes, and that behaves as if no other ran at the same time. Where the database
// finds that another did, all is undone and f is called again: it must set what it captures, and not add to it.
func (s *Store) change(ctx context.Context, f func(tx *sql.Tx) error) error {
	return s.changeWithin(ctx, transactionLimit, f)
}

// changeWithin is change for what takes longer.
func (s *Store) changeWithin(ctx context.Context, limit time.Duration, f func(tx *sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.try(ctx, limit, f)
		if attempt == attempts || s.dialect.hasMet == nil || !s.dialect.hasMet(err) {
			return named(err)
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// pause waits longer each time, and never as long as the one that it met.
func pause(ctx context.Context, attempt int) error {
	longest := min(longestPause, time.Millisecond<<attempt)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(longest) + time.Millisecond):
		return nil
	}
}

// try runs f once. Who calls may give up until the commit, and not within it: it would not be known what became of it.
func (s *Store) try(ctx context.Context, limit time.Duration, f func(tx *sql.Tx) error) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer conn.Close()
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	tx, err := conn.BeginTx(lasting, &sql.TxOptions{Isolation: s.dialect.isolation})
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if err = f(tx); err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return undone(err, tx.Rollback())
	}
	return s.commit(ctx, tx)
}

// undone is what made a transaction end. That it cannot be rolled back any more is worth telling only where that is
// another matter: a connection that is lost takes its transaction with it.
func undone(err, rollback error) error {
	if rollback == nil || errors.Is(rollback, sql.ErrTxDone) || postgresDialect.isLost(rollback) {
		return err
	}
	return errors.Join(err, rollback)
}

func (s *Store) commit(ctx context.Context, tx *sql.Tx) error {
	var mark string
	var err error
	if s.dialect.mark != nil {
		if mark, err = s.dialect.mark(ctx, tx); err != nil {
			return undone(fmt.Errorf("end transaction: %w", err), tx.Rollback())
		}
	}
	if err = tx.Commit(); err == nil {
		return nil
	}
	if mark != "" && !s.dialect.hasMet(err) {
		passed, unknown := s.dialect.isPassed(context.WithoutCancel(ctx), s.read, mark)
		if passed {
			return nil
		}
		err = errors.Join(err, unknown)
	}
	return fmt.Errorf("end transaction: %w", err)
}
