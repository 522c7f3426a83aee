package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

func config(dir string) daemon.Config {
	return daemon.Config{
		DataDir: dir, Listen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", Domain: "localhost", Engine: "auto",
		Organization: "demo", AdminEmail: "ada@example.com",
	}
}

func withFake(ctx context.Context, c daemon.EngineConfig) (engine.Engine, error) {
	return fake.New(ctx, fake.Config{Dir: c.Dir, Drainer: c.Drainer, Logger: c.Logger})
}

// run opens and runs a server, calls f when it is ready, then stops and closes it. It gives what it printed.
func run(t *testing.T, c daemon.Config, f func(d *daemon.Daemon)) string {
	t.Helper()
	out := &output{ready: make(chan struct{})}
	d := &daemon.Daemon{Config: c, Out: out, NewEngine: withFake}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if err := d.Open(ctx); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	select {
	case <-out.ready:
		f(d)
	case err := <-ended:
		t.Fatal(err)
	}
	stop()
	if err := errors.Join(<-ended, d.Close()); err != nil {
		t.Error(err)
	}
	return out.text.String()
}

// output closes ready when the ready line has come.
type output struct {
	text  bytes.Buffer
	ready chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	defer func() {
		if bytes.HasPrefix(p, []byte("setopsd ready ")) {
			close(o.ready)
		}
	}()
	return o.text.Write(p)
}

func signIn(t *testing.T, d *daemon.Daemon, password string) error {
	t.Helper()
	_, err := client.New("http://"+d.APIAddress(), "", client.Options{}).SignIn(t.Context(),
		api.Credentials{Organization: "demo", Email: "ada@example.com", Password: password})
	return err
}

func TestTheFirstStartMakesAnAdminAndSaysWhereThePasswordIs(t *testing.T) {
	dir := t.TempDir()
	file, ready := filepath.Join(dir, "admin-password"), ""
	text := run(t, config(dir), func(d *daemon.Daemon) {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		password, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := signIn(t, d, strings.TrimSuffix(string(password), "\n")); err != nil {
			t.Error(err)
		}
		ready = "setopsd ready api=http://" + d.APIAddress() + " router=http://" + d.RouterAddress() + "\n"
		if err := answers(d.RouterAddress(), http.StatusNotFound); err != nil {
			t.Errorf("the router: %v", err)
		}
	})
	if !strings.HasSuffix(text, ready) || !strings.Contains(text, "First start: organization demo, admin ada@example.com, password in "+file+"\n") || strings.Count(text, "setopsd ready ") != 1 {
		t.Error(text)
	}
	// The second start makes nobody, and does not need the file any more.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	again := config(dir)
	again.AdminEmail = "bob@example.com"
	if text := run(t, again, func(*daemon.Daemon) {}); strings.Contains(text, "First start") {
		t.Error(text)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("another password was made: %v", err)
	}
}

func answers(address string, status int) error {
	response, err := http.Get("http://" + address + "/")
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // its end does not matter
	if response.StatusCode != status {
		body, err := io.ReadAll(response.Body)
		return errors.Join(errors.New(response.Status+" "+string(body)), err)
	}
	return nil
}

func TestAGivenPasswordIsReadAtTheFirstStartOnly(t *testing.T) {
	c := config(t.TempDir())
	c.AdminEmail = "Ada@Example.com" // who signs in below writes it another way
	c.AdminPasswordFile = filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(c.AdminPasswordFile, []byte("first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, c, func(d *daemon.Daemon) {
		if err := signIn(t, d, "first"); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(c.AdminPasswordFile, []byte("second\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, c, func(d *daemon.Daemon) {
		if err := signIn(t, d, "first"); err != nil {
			t.Error(err)
		}
		if err := signIn(t, d, "second"); err == nil {
			t.Error("the password has changed")
		}
	})
}

// refused opens a server that must not open, and gives its error.
func refused(t *testing.T, c daemon.Config) string {
	t.Helper()
	d := &daemon.Daemon{Config: c, Out: io.Discard, NewEngine: withFake}
	err := d.Open(t.Context())
	if err == nil {
		d.Close() //nolint:errcheck // it should not be open
		t.Fatal("it opens")
	}
	return err.Error()
}

func TestTwoServersCannotShareADataDirectory(t *testing.T) {
	c := config(t.TempDir())
	run(t, c, func(*daemon.Daemon) {
		if why := refused(t, c); !strings.Contains(why, "another setopsd uses the data directory "+c.DataDir) {
			t.Error(why)
		}
	})
	run(t, c, func(*daemon.Daemon) {}) // the lock ends with its owner
}

func TestADatabaseWithoutItsKeyIsRefused(t *testing.T) {
	c := config(t.TempDir())
	run(t, c, func(*daemon.Daemon) {})
	key := filepath.Join(c.DataDir, "key")
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if why := refused(t, c); !strings.Contains(why, "the file "+key+" is gone; put it back from a backup") {
		t.Error(why)
	}
	if _, err := os.Stat(key); !errors.Is(err, os.ErrNotExist) {
		t.Error("another key was made")
	}
	for _, damaged := range []string{"", "zz", string(text[:10])} {
		if err := os.WriteFile(key, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if why := refused(t, c); !strings.Contains(why, "is damaged") {
			t.Error(why)
		}
	}
	if err := os.WriteFile(key, text, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, c, func(*daemon.Daemon) {})
}

func TestWhatIsMadeIsItsOwnersAlone(t *testing.T) {
	c := config(filepath.Join(t.TempDir(), "new", "data"))
	run(t, c, func(*daemon.Daemon) {})
	for _, name := range []string{".", "setops.db", "key", "instance", "admin-password", "lock"} {
		info, err := os.Stat(filepath.Join(c.DataDir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", name, info.Mode().Perm())
		}
	}
}

func TestAPortThatIsTakenIsNamedAndNothingStaysOpen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it is only to be there
	for _, flag := range []string{"--listen", "--http-listen"} {
		c := config(t.TempDir())
		if flag == "--listen" {
			c.Listen = l.Addr().String()
		} else {
			c.HTTPListen = l.Addr().String()
		}
		if why := refused(t, c); !strings.Contains(why, "listen on "+flag+" "+l.Addr().String()) {
			t.Error(why)
		}
		c.Listen, c.HTTPListen = "127.0.0.1:0", "127.0.0.1:0"
		run(t, c, func(*daemon.Daemon) {})
	}
}

func TestAnEngineThatCannotRunIsSaidAtTheStart(t *testing.T) {
	c := config(t.TempDir())
	d := &daemon.Daemon{Config: c, Out: io.Discard, NewEngine: func(context.Context, daemon.EngineConfig) (engine.Engine, error) {
		return nil, errors.New("the kernel lacks everything")
	}}
	if err := d.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "the kernel lacks everything") {
		t.Errorf("got %v", err)
	}
	run(t, c, func(*daemon.Daemon) {})
}
