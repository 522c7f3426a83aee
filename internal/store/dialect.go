package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"syscall"

	"github.com/setopsco/setops/internal/setops"
)

// dialect is what differs between the databases, besides how they are opened.
type dialect struct {
	isolation sql.IsolationLevel // of transactions that write
	compact   []string           // statements that leave nothing of former rows

	// What an error of the database's driver says.
	isTaken      func(error) bool // a unique value is there already
	isFull       func(error) bool // its disk is full
	isLost       func(error) bool // it cannot be reached, or the connection broke
	hasMet       func(error) bool // the transaction met another one, and may succeed when it is run again
	isUnstorable func(error) bool // it was given a text that it cannot hold, and so does not hold

	// mark gives a name to a transaction that has written, for isPassed; nil where a commit says for sure how it ended.
	mark     func(context.Context, *sql.Tx) (string, error)
	isPassed func(ctx context.Context, db querier, mark string) (bool, error)
}

// says reports whether any database says that of an error. Each knows its own driver's errors and no others.
func says(err error, what func(dialect) func(error) bool) bool {
	if err == nil {
		return false
	}
	for _, d := range []dialect{sqliteDialect, postgresDialect} {
		if is := what(d); is != nil && is(err) {
			return true
		}
	}
	return false
}

func isTaken(err error) bool {
	return says(err, func(d dialect) func(error) bool { return d.isTaken })
}

// named gives what may happen to any statement the name that everybody asks for, whoever met it.
func named(err error) error {
	var known *setops.Error
	switch {
	case errors.As(err, &known):
		return err
	case says(err, func(d dialect) func(error) bool { return d.isFull }):
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	case says(err, func(d dialect) func(error) bool { return d.isLost }):
		return passing("the server's database cannot be reached; try again in a moment", err)
	case says(err, func(d dialect) func(error) bool { return d.hasMet }):
		return passing("the server's database is busy; try again in a moment", err)
	}
	return err
}

func passing(message string, err error) error {
	return &setops.Error{Kind: setops.Fault, Code: setops.ServerFailure, Message: message, Temporary: true, Err: err}
}

func isUnstorable(err error) bool {
	return says(err, func(d dialect) func(error) bool { return d.isUnstorable })
}

// ignoreUnstorable turns the refusal to look for something into not having found it.
func ignoreUnstorable(err error) error {
	if isUnstorable(err) {
		return nil
	}
	return named(err)
}
