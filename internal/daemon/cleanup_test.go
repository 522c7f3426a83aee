package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/gc"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// cleanUp runs `setopsd gc` and gives its exit code and what it printed.
func cleanUp(dir string, args ...string) (code int, out, problem string) {
	var stdout, stderr bytes.Buffer
	code = daemon.Main(append([]string{"gc", "--data-dir", dir}, args...), func(string) string { return "" }, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// shop is a server with an app that images can be pushed to.
type shop struct {
	t        *testing.T
	dir      string
	address  string
	password string
	client   *client.Client
}

var prod = client.StageRef{ProjectRef: client.ProjectRef{Organization: "demo", Project: "shop"}, Stage: "prod"}

func openShop(t *testing.T, dir string, d *daemon.Daemon) *shop {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "admin-password"))
	must(t, err)
	s := &shop{t: t, dir: dir, address: d.APIAddress(), password: strings.TrimSpace(string(text))}
	session, err := client.New("http://"+s.address, "", client.Options{}).SignIn(t.Context(),
		api.Credentials{Organization: "demo", Email: "ada@example.com", Password: s.password})
	must(t, err)
	s.client = client.New("http://"+s.address, session.Token, client.Options{})
	_, err = s.client.CreateProject(t.Context(), prod.ProjectRef)
	must(t, err)
	_, err = s.client.CreateStage(t.Context(), prod)
	must(t, err)
	s.stage(api.AppCreate{Name: "web"})
	commit, err := s.client.StartCommit(t.Context(), prod, api.StartCommit{})
	must(t, err)
	end, err := s.client.WatchCommit(t.Context(), prod, commit.ID, func(api.Progress) {})
	if err != nil || end.State != "done" {
		t.Fatalf("%+v, %v", end, err)
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *shop) stage(commands ...api.Arguments) {
	s.t.Helper()
	_, err := s.client.StageCommands(s.t.Context(), prod, commands...)
	must(s.t, err)
}

func (s *shop) auth() remote.Option {
	return remote.WithAuth(&authn.Basic{Username: "ada@example.com", Password: s.password})
}

// push gives the digest. The image follows from the tag: one in seventy of those that are drawn at random is 200 bytes larger than the others.
func (s *shop) push(tag string) string {
	s.t.Helper()
	ref, err := name.ParseReference(s.address + "/demo/shop/prod/web:" + tag)
	must(s.t, err)
	image, err := random.Image(10_000, 1, random.WithSource(rand.NewSource(int64(crc32.ChecksumIEEE([]byte(tag))))))
	must(s.t, err)
	must(s.t, remote.Write(ref, image, s.auth()))
	digest, err := image.Digest()
	must(s.t, err)
	return digest.String()
}

func (s *shop) has(digest string) bool {
	s.t.Helper()
	ref, err := name.ParseReference(s.address + "/demo/shop/prod/web@" + digest)
	must(s.t, err)
	_, err = remote.Get(ref, s.auth())
	return err == nil
}

// age makes all images so many hours old. A server that cleans up by itself may remove one as soon as it is.
func (s *shop) age(hours int) {
	s.t.Helper()
	before := time.Now().Add(-time.Duration(hours) * time.Hour)
	must(s.t, filepath.WalkDir(filepath.Join(s.dir, "registry", "docker"), func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err := errors.Join(err, os.Chtimes(path, before, before)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}))
}

func TestTheServerThatRunsIsAskedToCleanUp(t *testing.T) {
	// No socket may have so long a name.
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 30))
	run(t, config(dir), func(d *daemon.Daemon) {
		info, err := os.Stat(filepath.Join(dir, "control.sock"))
		if err != nil || info.Mode() != fs.ModeSocket|0o600 {
			t.Errorf("%v, %v", info, err)
		}
		s := openShop(t, dir, d)
		staged, gone := s.push("v1"), s.push("v2")
		s.stage(api.ReleaseCreate{Name: "web", Digest: staged})
		s.age(73)
		table := "REPOSITORY           DIGEST" + strings.Repeat(" ", 68) + "TAGS   AGE\ndemo/shop/prod/web   " + gone + "   v2     3 d\n\n"
		for _, test := range []struct{ flag, end string }{
			{"--dry-run", "Would free 11.1 kB.\n"},
			{"--dry-run=false", "Freed 11.1 kB.\n"},
		} {
			code, out, problem := cleanUp(dir, test.flag)
			if code != 0 || problem != "" || !strings.HasPrefix(out, table) || !strings.HasSuffix(out, "\n"+test.end) {
				t.Errorf("%s: exit %d, %q\n%s", test.flag, code, problem, out)
			}
		}
		if s.has(gone) || !s.has(staged) {
			t.Errorf("the one that nothing names: %v, the staged one: %v", s.has(gone), s.has(staged))
		}
		code, out, _ := cleanUp(dir, "-o", "json")
		var report gc.Report
		if err := json.Unmarshal([]byte(out), &report); code != 0 || err != nil || report.Images == nil || len(report.Images) > 0 || report.Bytes > 0 {
			t.Errorf("exit %d, %v\n%s", code, err, out)
		}
	})
	if left, err := os.Stat(filepath.Join(dir, "control.sock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket stays: %v, %v", left, err)
	}
}

func TestWithoutAServerNothingIsCleanedUp(t *testing.T) {
	dir := t.TempDir()
	code, out, problem := cleanUp(dir)
	if code != 1 || out != "" || problem != fmt.Sprintf("Error: no server runs in %s; start it first, or name another with --data-dir\n", dir) {
		t.Errorf("exit %d, %q, %q", code, out, problem)
	}
	// A server that was killed has left its socket. The next one takes the name.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "control.sock"), Net: "unix"})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.Close())
	if code, _, problem = cleanUp(dir); code != 1 || !strings.Contains(problem, "no server runs") {
		t.Errorf("exit %d, %q", code, problem)
	}
	run(t, config(dir), func(*daemon.Daemon) {
		if code, out, problem := cleanUp(dir); code != 0 || out != "There is nothing to remove.\n" {
			t.Errorf("exit %d, %q, %q", code, out, problem)
		}
	})
}

func TestTheServerCleansUpByItself(t *testing.T) {
	dir := t.TempDir()
	c := config(dir)
	c.GCInterval = 20 * time.Millisecond
	run(t, c, func(d *daemon.Daemon) {
		s := openShop(t, dir, d)
		s.push("v1")
		s.age(25)
		for deadline := time.Now().Add(patience); ; {
			blobs, err := filepath.Glob(filepath.Join(dir, "registry/docker/registry/v2/blobs/sha256/*/*"))
			if must(t, err); len(blobs) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("still there: %v", blobs)
			}
		}
	})
}

func TestOnlyWhatTheSocketKnowsIsAnswered(t *testing.T) {
	dir := t.TempDir()
	run(t, config(dir), func(*daemon.Daemon) {
		own := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, "control.sock"))
		}}}
		for path, status := range map[string]int{"/": http.StatusNotFound, "/gc": http.StatusMethodNotAllowed} {
			response, err := own.Get("http://setopsd" + path)
			must(t, err)
			response.Body.Close() //nolint:errcheck // nothing was read
			if response.StatusCode != status {
				t.Errorf("%s: %s", path, response.Status)
			}
		}
	})
}

func TestTheSocketIsThereBehindAHandover(t *testing.T) {
	s, _ := serving(t)
	for range 2 {
		s.upgrade()
		if code, out, problem := cleanUp(filepath.Join(s.dir, "data")); code != 0 || out != "There is nothing to remove.\n" {
			t.Errorf("exit %d, %q, %q", code, out, problem)
		}
	}
	s.stop()
	if code, _, _ := cleanUp(filepath.Join(s.dir, "data")); code != 1 {
		t.Errorf("exit %d of a server that has stopped", code)
	}
}
