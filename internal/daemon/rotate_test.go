package daemon_test

import (
	"bytes"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/daemon"
)

// rotate runs `setopsd rotate-key` for an installation.
func rotate(c daemon.Config, args ...string) (code int, out, problem string) {
	var stdout, stderr bytes.Buffer
	args = append([]string{"rotate-key", "--data-dir", c.DataDir, "--database", c.Database, "--key-file", c.KeyFile}, args...)
	code = daemon.Main(args, func(string) string { return "" }, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// onBoth runs a test with an installation on each kind of database.
func onBoth(t *testing.T, f func(t *testing.T, c daemon.Config)) {
	t.Run("SQLite", func(t *testing.T) { f(t, config(t.TempDir())) })
	t.Run("PostgreSQL", func(t *testing.T) { f(t, onPostgres(t)) })
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

func keep(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestTheKeyIsChangedWhileTheServerIsStopped(t *testing.T) {
	onBoth(t, func(t *testing.T, c daemon.Config) {
		key, old := filepath.Join(c.DataDir, "key"), filepath.Join(c.DataDir, "key.old")
		if code, _, problem := rotate(c); code != 1 || !strings.Contains(problem, "no installation in "+c.DataDir) {
			t.Errorf("exit code %d: %s", code, problem)
		}
		run(t, c, func(*daemon.Daemon) {
			if code, _, problem := rotate(c); code != 1 || !strings.Contains(problem, "another setopsd uses the data directory") {
				t.Errorf("exit code %d: %s", code, problem)
			}
		})
		first := read(t, key)
		code, out, problem := rotate(c)
		if code != 0 || !strings.Contains(out, key) || !strings.Contains(out, old) {
			t.Fatalf("exit code %d: %s %s", code, out, problem)
		}
		second := read(t, key)
		if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		if second == first || read(t, old) != first || strings.Contains(out, strings.TrimSpace(second)) {
			t.Error("the key is not another one, or the old one is not kept, or the new one is shown")
		}
		run(t, c, func(*daemon.Daemon) {})
		keep(t, key, first)
		if why := refused(t, c); !strings.Contains(why, "sealed with another key than "+key) {
			t.Error(why)
		}
	})
}

// TestAChangeOfTheKeyThatBrokeOffIsCompleted has the files that are there when it ends at any moment.
func TestAChangeOfTheKeyThatBrokeOffIsCompleted(t *testing.T) {
	onBoth(t, func(t *testing.T, c daemon.Config) {
		file := func(name string) string { return filepath.Join(c.DataDir, name) }
		run(t, c, func(*daemon.Daemon) {})
		first := read(t, file("key"))
		waiting := hex.EncodeToString(bytes.Repeat([]byte{7}, 32)) + "\n"
		keep(t, file("key.new"), waiting) // and nothing more
		run(t, c, func(*daemon.Daemon) {})
		if read(t, file("key")) != first {
			t.Error("a key was taken that nothing is sealed with")
		}
		if code, _, problem := rotate(c); code != 0 || read(t, file("key")) != waiting {
			t.Fatalf("exit code %d: %s", code, problem)
		}
		for name, before := range map[string]func(){
			"the database has the new key":                    func() { must(t, os.Remove(file("key.old"))) },
			"the database has the new key, the old one two":   func() {},
			"the next try, not the next start, is what is on": func() { must(t, os.Remove(file("key.old"))) },
		} {
			before()
			keep(t, file("key.new"), waiting)
			must(t, os.Remove(file("key"))) // which key.old may be another name of
			keep(t, file("key"), first)
			if strings.HasPrefix(name, "the next try") {
				if code, _, problem := rotate(c); code != 0 {
					t.Errorf("%s: exit code %d: %s", name, code, problem)
				}
			}
			run(t, c, func(*daemon.Daemon) {})
			if read(t, file("key")) != waiting || read(t, file("key.old")) != first {
				t.Errorf("%s: the key is not the new one, or key.old not the old one", name)
			}
			if _, err := os.Stat(file("key.new")); err == nil {
				t.Errorf("%s: key.new is left", name)
			}
		}
	})
}

func TestTheKeyCanBeTheOperators(t *testing.T) {
	onBoth(t, func(t *testing.T, c daemon.Config) {
		dir := t.TempDir()
		one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
		c.KeyFile = one
		if why := refused(t, c); !strings.Contains(why, "openssl rand -hex 32") {
			t.Error(why)
		}
		keep(t, one, strings.Repeat("1", 63))
		if why := refused(t, c); !strings.Contains(why, "it must hold 32 bytes in hexadecimal") || strings.Contains(why, "1111") {
			t.Error(why)
		}
		keep(t, one, strings.Repeat("1", 64)+"\n")
		must(t, os.Chmod(one, 0o640))
		if why := refused(t, c); !strings.Contains(why, "chmod 600 "+one) {
			t.Error(why)
		}
		must(t, os.Chmod(one, 0o600))
		run(t, c, func(*daemon.Daemon) {})
		if _, err := os.Stat(filepath.Join(c.DataDir, "key")); err == nil {
			t.Error("there is a key in the data directory, too")
		}
		if code, _, problem := rotate(c); code != 1 || !strings.Contains(problem, "--new-key-file") {
			t.Errorf("exit code %d: %s", code, problem)
		}
		keep(t, two, strings.Repeat("2", 64))
		for range 2 { // once more it is done already
			if code, out, problem := rotate(c, "--new-key-file", two); code != 0 || !strings.Contains(out, "--key-file "+two) {
				t.Fatalf("exit code %d: %s %s", code, out, problem)
			}
		}
		if why := refused(t, c); !strings.Contains(why, "sealed with another key than "+one) {
			t.Error(why)
		}
		c.KeyFile = two
		run(t, c, func(*daemon.Daemon) {})
	})
}

func TestTheKeyOfTheDataDirectoryGivesWayToTheOperators(t *testing.T) {
	c := config(t.TempDir())
	run(t, c, func(*daemon.Daemon) {})
	key := filepath.Join(c.DataDir, "key")
	must(t, os.Chmod(key, 0o644)) // as a restored backup may have it
	run(t, c, func(*daemon.Daemon) {})
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	own := filepath.Join(t.TempDir(), "own")
	keep(t, own, strings.Repeat("3", 64))
	if code, _, problem := rotate(c, "--new-key-file", own); code != 0 {
		t.Fatal(problem)
	}
	if why := refused(t, c); !strings.Contains(why, fs.ErrNotExist.Error()) && !strings.Contains(why, "the file "+key+" is gone") {
		t.Error(why)
	}
	c.KeyFile = own
	run(t, c, func(*daemon.Daemon) {})
}
