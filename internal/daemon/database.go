package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/setopsco/setops/internal/store"
)

const (
	sqliteFile = "setops.db"
	// databaseFile is where a data directory remembers that its database is elsewhere. Without it, a start that forgets
	// --database would begin anew, and end all tasks that it does not know.
	databaseFile = "database"
	postgresKind = "postgres"
)

func (c *core) openStore(ctx context.Context) (err error) {
	if c.Config.Database == "" {
		err = c.openSQLite(ctx)
	} else {
		err = c.openPostgres(ctx)
	}
	if err != nil {
		return err
	}
	if err := c.settleKey(ctx); err != nil {
		return err
	}
	if err := c.openInstance(ctx); err != nil {
		return err
	}
	return c.firstStart(ctx)
}

// openSQLite makes the key first: a database without its key is refused, and a start may die between the two.
func (c *core) openSQLite(ctx context.Context) error {
	elsewhere, err := c.dir.has(databaseFile)
	if err != nil {
		return err
	}
	if elsewhere {
		return fmt.Errorf("the database of the data directory %s is PostgreSQL; say which with --database", c.dir.path)
	}
	there, err := c.dir.has(sqliteFile)
	if err != nil {
		return err
	}
	if err := c.openKey(there); err != nil {
		return err
	}
	if c.store, err = store.Open(ctx, c.dir.file(sqliteFile)); err != nil {
		return err
	}
	c.onClose(c.store.Close)
	c.Logger.Info("the database is SQLite", "file", c.dir.file(sqliteFile))
	return nil
}

func (c *core) openPostgres(ctx context.Context) error {
	there, err := c.dir.has(sqliteFile)
	if err != nil {
		return err
	}
	if there {
		return fmt.Errorf("the data directory %s has a database of its own, %s, and --database names another; leave --database out, "+
			"or give this server a new directory with --data-dir", c.dir.path, sqliteFile)
	}
	if c.store, err = store.Connect(ctx, c.Config.Database); err != nil {
		return err
	}
	c.onClose(c.store.Close)
	installed, err := c.store.Installation(ctx)
	if err != nil {
		return err
	}
	if err := c.openOwnKey(installed[keyCheck] != ""); err != nil {
		return err
	}
	c.Logger.Info("the database is PostgreSQL", "url", store.Shown(c.Config.Database))
	return c.dir.remember(databaseFile, postgresKind)
}

// openOwnKey opens the key of a database that another directory may have the key of: where there is none, this is more likely a
// second server with a directory of its own than a loss.
func (c *core) openOwnKey(needed bool) error {
	there, err := c.dir.has(keyFile)
	if err != nil {
		return err
	}
	if there || !needed || c.Config.KeyFile != "" {
		return c.openKey(needed)
	}
	if c.sharesCluster() {
		return errors.New("the database is sealed with a key that another server has: all servers of a database must have the same one; " +
			"give this one that key with --key-file")
	}
	return fmt.Errorf("the database is one of another data directory than %s: name that one with --data-dir; or, where it is this one, "+
		"the file %s is gone; put it back from a backup", c.dir.path, c.dir.file(keyFile))
}

func (d *dataDir) has(name string) (bool, error) {
	_, err := os.Stat(d.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// remember writes a file of one line, if it is not there.
func (d *dataDir) remember(name, line string) error {
	there, err := d.has(name)
	if err != nil || there {
		return err
	}
	return writeNew(d.file(name), []byte(line+"\n"))
}

// checkDatabase does not say what it was given: there may be a password in it.
func (c *Config) checkDatabase(r *refusals) {
	c.Database = strings.TrimSpace(c.Database)
	r.where(c.Database != "" && !store.IsURL(c.Database),
		"--database is no URL of PostgreSQL; write postgres://USER@HOST:PORT/DATABASE, or leave it out for SQLite in the data directory")
}
