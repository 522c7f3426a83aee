package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

var postgresDialect = dialect{
	isolation:    sql.LevelSerializable,
	compact:      []string{`VACUUM FULL apps`, `VACUUM FULL commands`, `VACUUM FULL commits`, `VACUUM FULL certificates`, `VACUUM FULL installation`},
	isTaken:      func(err error) bool { return hasState(err, "23505") },
	isFull:       func(err error) bool { return hasState(err, "53100") },
	isLost:       isLost,
	hasMet:       func(err error) bool { return hasState(err, "40001", "40P01") },
	isUnstorable: func(err error) bool { return hasState(err, "22021") },
	mark:         mark,
	isPassed:     isPassed,
}

// hasState compares SQLSTATE; two characters are a class of them.
func hasState(err error, states ...string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && slices.ContainsFunc(states, func(s string) bool { return strings.HasPrefix(e.Code, s) })
}

// isLost knows: connections refused, too many of them, a server that is starting, stopping or gone, sessions that were
// ended for being idle, and what the network says. Whoever gave up waiting has lost nothing.
func isLost(err error) bool {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return !errors.Is(err, context.Canceled)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var network net.Error
	return hasState(err, "08", "53300", "57P0", "25P03", "25P04") || errors.As(err, &network) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// mark gives the transaction's number, or nothing where it has written nothing.
func mark(ctx context.Context, tx *sql.Tx) (string, error) {
	var id sql.NullString
	err := tx.QueryRowContext(ctx, `SELECT pg_current_xact_id_if_assigned()::text`).Scan(&id)
	return id.String, err
}

// What became of a transaction is asked for so long: a server that was started again needs a while.
const (
	outcomeLimit = 20 * time.Second
	outcomePause = 100 * time.Millisecond
)

// isPassed tells whether a transaction was committed whose commit was not answered.
func isPassed(ctx context.Context, db querier, mark string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, outcomeLimit)
	defer cancel()
	for {
		var status sql.NullString
		err := db.QueryRowContext(ctx, `SELECT pg_xact_status($1::text::xid8)`, mark).Scan(&status)
		switch {
		case err == nil && status.String == "committed":
			return true, nil
		case err == nil && status.String == "aborted":
			return false, nil
		case err != nil && !isLost(err):
			return false, fmt.Errorf("ask what became of it: %w", err)
		}
		select {
		case <-ctx.Done():
			return false, errors.Join(fmt.Errorf("ask what became of it: %w", ctx.Err()), err)
		case <-time.After(outcomePause):
		}
	}
}
