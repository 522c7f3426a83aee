package daemon_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/store/pgtest"
	"github.com/setopsco/setops/internal/store/storetest"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// onPostgres is a configuration with a password file, and a database that nobody has used.
func onPostgres(t *testing.T) daemon.Config {
	t.Helper()
	c := config(t.TempDir())
	c.Database = storetest.Postgres(t)
	c.AdminPasswordFile = filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(c.AdminPasswordFile, []byte("first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPostgreSQLHoldsWhatSQLiteWould(t *testing.T) {
	c := onPostgres(t)
	for range 2 {
		run(t, c, func(d *daemon.Daemon) {
			if err := signIn(t, d, "first"); err != nil {
				t.Error(err)
			}
		})
		if err := os.RemoveAll(c.AdminPasswordFile); err != nil { // only the first start reads it
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(c.DataDir, "setops.db")); err == nil {
		t.Error("there is a database in the data directory, too")
	}
}

func TestTheDatabaseIsSaidWithoutItsPassword(t *testing.T) {
	c := onPostgres(t)
	c.Database = pgtest.OverTCP(t, c.Database)
	u, err := url.Parse(c.Database)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	var log bytes.Buffer
	d := &daemon.Daemon{Config: c, Out: &log, NewEngine: withFake, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if text := log.String(); strings.Contains(text, password) || !strings.Contains(text, u.Host+u.Path) {
		t.Error(text)
	}
	c.Database = strings.Replace(c.Database, u.Path, "/nowhere", 1)
	if why := refused(t, c); strings.Contains(why, password) || !strings.Contains(why, u.Host+"/nowhere") {
		t.Error(why)
	}
}

func TestADatabaseOfPostgreSQLIsRefusedWithAnotherKey(t *testing.T) {
	c := onPostgres(t)
	run(t, c, func(*daemon.Daemon) {})
	text, err := os.ReadFile(filepath.Join(c.DataDir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	other := c
	other.DataDir = t.TempDir()
	key := filepath.Join(other.DataDir, "key")
	if why := refused(t, other); !strings.Contains(why, "another data directory than "+other.DataDir) ||
		!strings.Contains(why, "the file "+key+" is gone; put it back from a backup") {
		t.Error(why)
	}
	if err := os.WriteFile(key, bytes.Repeat([]byte("0"), 64), 0o600); err != nil {
		t.Fatal(err)
	}
	if why := refused(t, other); !strings.Contains(why, "sealed with another key than "+key) {
		t.Error(why)
	}
	if err := os.WriteFile(key, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if why := refused(t, other); !strings.Contains(why, "must share the engine and the images") {
		t.Error(why)
	}
	// Whose data directory was moved or restored has its instance, too.
	instance, err := os.ReadFile(filepath.Join(c.DataDir, "instance"))
	if err == nil {
		err = os.WriteFile(filepath.Join(other.DataDir, "instance"), instance, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, other, func(*daemon.Daemon) {})
}

func TestADatabaseOfSQLiteIsRefusedWithAnotherKey(t *testing.T) {
	c := config(t.TempDir())
	run(t, c, func(*daemon.Daemon) {})
	key := filepath.Join(c.DataDir, "key")
	if err := os.WriteFile(key, bytes.Repeat([]byte("0"), 64), 0o600); err != nil {
		t.Fatal(err)
	}
	if why := refused(t, c); !strings.Contains(why, "sealed with another key than "+key) {
		t.Error(why)
	}
}

func TestServersThatBeginAtOnceHaveOneAdmin(t *testing.T) {
	first := onPostgres(t)
	first.AdminPasswordFile = ""
	var all []*daemon.Daemon
	var wg sync.WaitGroup
	for range 4 {
		d := &daemon.Daemon{Config: first, Out: io.Discard, NewEngine: withFake}
		all = append(all, d)
		wg.Go(func() {
			if err := d.Open(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, d := range all {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	password, err := os.ReadFile(filepath.Join(first.DataDir, "admin-password"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, first, func(d *daemon.Daemon) {
		_, err := client.New("http://"+d.APIAddress(), "", client.Options{}).SignIn(t.Context(), api.Credentials{
			Organization: first.Organization, Email: first.AdminEmail, Password: strings.TrimSpace(string(password)),
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestADataDirectoryStaysWithTheKindOfItsDatabase(t *testing.T) {
	c := onPostgres(t)
	run(t, c, func(*daemon.Daemon) {})
	forgotten := c
	forgotten.Database = ""
	if why := refused(t, forgotten); !strings.Contains(why, "say which with --database") {
		t.Error(why)
	}
	old := config(t.TempDir())
	run(t, old, func(*daemon.Daemon) {})
	old.Database = c.Database
	if why := refused(t, old); !strings.Contains(why, "leave --database out") {
		t.Error(why)
	}
}
