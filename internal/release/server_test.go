package release

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
)

// The server is of serverVersion; clients are built at versions of their own.
const (
	serverVersion = "0.5.0"
	organization  = "demo"
	user          = "ci@example.com"
	password      = "correct horse battery"
)

// world is a server with the fake engine, and a directory with programs.
type world struct {
	dir, url string
	runtime  *fake.Runtime
}

// shared is the one server of all tests here: each works on a stage of its own.
var shared world

func TestMain(m *testing.M) {
	code, err := withServer(func() int { return m.Run() })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

func withServer(run func() int) (code int, err error) {
	daemon.Version = serverVersion
	dir, err := os.MkdirTemp("", "setops-release-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	secret := filepath.Join(dir, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return 0, err
	}
	runtime := fake.NewRuntime()
	defer func() { err = errors.Join(err, runtime.Close()) }()
	ready := make(chan struct{})
	d := &daemon.Daemon{
		Config: daemon.Config{
			DataDir: filepath.Join(dir, "data"), Listen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", Domain: "localhost", Engine: "auto",
			Organization: organization, AdminEmail: user, AdminPasswordFile: secret,
		},
		Out:    announced{ready},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		NewEngine: func(ctx context.Context, c daemon.EngineConfig) (engine.Engine, error) {
			return fake.New(ctx, fake.Config{Dir: c.Dir, Runtime: runtime, Drainer: c.Drainer, Logger: c.Logger, Speed: 10})
		},
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if err := d.Open(ctx); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(d.Run(ctx), d.Close()) }()
	select {
	case <-ready:
	case err := <-ended:
		return 0, fmt.Errorf("the server ended before it was ready: %w", err)
	}
	shared = world{dir: dir, url: "http://" + d.APIAddress(), runtime: runtime}
	code = run()
	stop()
	return code, <-ended
}

// announced hears the line by which a server says that it is ready, its only one.
type announced struct{ ready chan struct{} }

func (a announced) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("setopsd ready")) {
		close(a.ready)
	}
	return len(p), nil
}

var building sync.Mutex

// setopsOf builds setops as a release of that version, in a directory that has nothing else.
func setopsOf(t *testing.T, version string) (dir string) {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	dir = filepath.Join(shared.dir, "setops-"+version)
	if _, err := os.Stat(filepath.Join(dir, "setops")); err == nil {
		return dir
	}
	flags := "-s -w -X github.com/setopsco/setops/internal/cli/root.version=" + version
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags", flags, "-o", filepath.Join(dir, "setops"), "../../cmd/setops")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build setops %s: %v\n%s", version, err, out)
	}
	return dir
}

// shell is where a test types: a home, and a setops of some version that is signed in.
type shell struct {
	t       *testing.T
	environ []string
}

func newShell(t *testing.T, version string, environ ...string) *shell {
	t.Helper()
	path := setopsOf(t, version) + ":" + os.Getenv("PATH")
	return &shell{t: t, environ: append([]string{"HOME=" + t.TempDir(), "PATH=" + path, "SETOPS_URL=" + shared.url}, environ...)}
}

type outcome struct {
	stdout, stderr string
	code           int
}

// run types a script for sh, as a CI does: it ends with the first command that fails.
func (s *shell) run(script string) outcome {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute) // it takes a second
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-ec", script)
	sh.WaitDelay = time.Second // what the shell has started may hold its output open
	sh.Env, sh.Stdout, sh.Stderr = s.environ, &stdout, &stderr
	err := sh.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return outcome{stdout.String(), stderr.String(), sh.ProcessState.ExitCode()}
}

// must types what has to work.
func (s *shell) must(script string) string {
	s.t.Helper()
	o := s.run(script)
	if o.code != 0 {
		s.t.Fatalf("%s\nexit %d\n%s%s", script, o.code, o.stdout, o.stderr)
	}
	return o.stdout
}

func (s *shell) signIn() {
	s.t.Helper()
	s.must(fmt.Sprintf("printf '%%s\\n' %s %s %q | setops login --service-user --no-setup", organization, user, password))
}

// set changes a variable.
func (s *shell) set(name, value string) {
	s.environ = slices.DeleteFunc(s.environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	s.environ = append(s.environ, name+"="+value)
}
