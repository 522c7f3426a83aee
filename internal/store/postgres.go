package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// The connections of one server, of which PostgreSQL has 100 if nobody said otherwise. Few writers: at SERIALIZABLE those
// who write to the same small tables meet each other, and are run again.
const (
	postgresWriters = 4
	postgresReaders = 8
	postgresIdle    = 5 * time.Minute
)

// postgresOldest is the oldest PostgreSQL that can tell what became of a transaction, as the server counts versions.
const postgresOldest = 130000

// migrationLock is the advisory lock that one server at a time migrates under.
const migrationLock = 0x5e70b5

// Connect opens a database of PostgreSQL by its URL, and brings its schema up to date. What the URL leaves out, as the
// password, comes from the variables and files of PostgreSQL: PGPASSWORD, PGPASSFILE and so on. No error has the
// password in it.
func Connect(ctx context.Context, url string) (*Store, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	s := &Store{write: pool(config, false, postgresWriters), read: pool(config, true, postgresReaders), dialect: postgresDialect}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", Shown(url), err), s.Close())
	}
	return s, nil
}

func pool(config *pgx.ConnConfig, isReader bool, most int) *sql.DB {
	var options []stdlib.OptionOpenDB
	if isReader { // behind the connection, since a URL may ask for a server that takes writes
		options = append(options, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, `SET default_transaction_read_only = on`)
			return err
		}))
	}
	db := stdlib.OpenDB(*config.Copy(), options...)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxIdleTime(postgresIdle)
	return db
}

// begin migrates under a lock of the session's: another server that starts meanwhile waits for its turn.
func (s *Store) begin(ctx context.Context) (err error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := refuseOld(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
		return fmt.Errorf("wait for another server's migration: %w", err)
	}
	defer func() {
		_, unlock := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, migrationLock)
		err = errors.Join(err, unlock)
	}()
	if err := migrate(ctx, s.write, goose.DialectPostgres); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := conn.ExecContext(ctx, sortBytewise); err != nil {
		return fmt.Errorf("let text sort bytewise: %w", err)
	}
	return nil
}

func refuseOld(ctx context.Context, conn *sql.Conn) error {
	var version int
	if err := conn.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return fmt.Errorf("ask for the version of the server: %w", err)
	}
	if version < postgresOldest {
		return fmt.Errorf("PostgreSQL %d is too old; use %d or later", version/10000, postgresOldest/10000)
	}
	return nil
}

// sortBytewise makes text compare as SQLite does it, whatever the language of the database is.
const sortBytewise = `DO $$
DECLARE c record;
BEGIN
  FOR c IN SELECT t.relname, a.attname FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
    WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r'
      AND a.atttypid = 'text'::regtype AND a.attcollation <> '"C"'::regcollation AND NOT a.attisdropped
  LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE TEXT COLLATE "C"', c.relname, c.attname);
  END LOOP;
END $$`
