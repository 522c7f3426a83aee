package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlitecode "modernc.org/sqlite/lib"
)

// Writers of SQLite wait in line, and a commit ends in this process: there is nothing to run again or to ask about.
var sqliteDialect = dialect{
	compact: []string{`VACUUM`, `PRAGMA wal_checkpoint(TRUNCATE)`},
	isTaken: func(err error) bool {
		code := sqliteCode(err)
		return code == sqlitecode.SQLITE_CONSTRAINT_UNIQUE || code == sqlitecode.SQLITE_CONSTRAINT_PRIMARYKEY
	},
	isFull: func(err error) bool { return sqliteCode(err)&0xff == sqlitecode.SQLITE_FULL },
}

func sqliteCode(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return sqlitecode.SQLITE_OK
	}
	return e.Code()
}

// sqliteReaders is how many connections read at once.
const sqliteReaders = 4

// Open opens the database file, makes it (0600) where there is none, and brings its schema up to date.
func Open(ctx context.Context, file string) (*Store, error) {
	if err := touch(file); err != nil {
		return nil, fmt.Errorf("create database %s: %w", file, err)
	}
	const pragmas = "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)" +
		"&_pragma=busy_timeout(10000)&_pragma=cache_size(-4000)&_txlock=immediate"
	write, err := sql.Open("sqlite", "file:"+file+pragmas)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	write.SetMaxOpenConns(1) // SQLite has one writer, and waiting in line beats SQLITE_BUSY
	read, err := sql.Open("sqlite", "file:"+file+pragmas+"&_pragma=query_only(ON)")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", file, err), write.Close())
	}
	read.SetMaxOpenConns(sqliteReaders)
	read.SetMaxIdleConns(sqliteReaders) // to open one costs more than most of what it reads
	s := &Store{write: write, read: &prepared{DB: read}, dialect: sqliteDialect}
	if err := migrate(ctx, write, goose.DialectSQLite3); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate database %s: %w", file, err), s.Close())
	}
	return s, nil
}

func touch(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
