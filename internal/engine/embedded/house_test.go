//go:build linux

package embedded_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/embedded"
	"github.com/setopsco/setops/internal/engine/embedded/image"
	"github.com/setopsco/setops/internal/engine/embedded/network"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

const (
	goarch = runtime.GOARCH
	// patience is for what should take milliseconds, on a machine that is busy.
	patience = 30 * time.Second
)

// built is where TestMain lets programs be built.
var built string

func TestMain(m *testing.M) {
	if order := os.Getenv(serverVariable); order != "" {
		fmt.Fprintln(os.Stderr, serve(order))
		os.Exit(1)
	}
	dir, err := os.MkdirTemp("", "setops-embedded-")
	if err != nil {
		panic(err)
	}
	built = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var (
	shimProgram = sync.OnceValues(func() (string, error) {
		return build("setops-shim", "../../../cmd/setops-shim", "CGO_ENABLED=1",
			"-tags", "seccomp netgo osusergo", "-ldflags", "-s -w -linkmode external -extldflags -static")
	})
	appProgram = sync.OnceValues(func() (string, error) {
		return build("app", "./testdata/app", "CGO_ENABLED=0", "-ldflags", "-s -w")
	})
)

func build(name, pkg, env string, flags ...string) (string, error) {
	path := filepath.Join(built, name)
	c := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), pkg)...)
	c.Env = append(os.Environ(), env)
	c.Stderr = os.Stderr
	return path, c.Run()
}

// house is a runtime with all that it stands on.
type house struct {
	*embedded.Runtime
	t        testing.TB
	dir      string
	instance string
	images   images
	image    engine.Image // whose entrypoint is the test's app
	stage    setops.StageRef
	cfg      embedded.Config
	close    func()
}

func newHouse(t testing.TB) *house {
	t.Helper()
	needRoot(t)
	shim, err := shimProgram()
	must(t, err)
	h := &house{t: t, dir: filepath.Join(t.TempDir(), "strange, but: allowed"), instance: randomHex(4), images: images{}}
	h.stage = setops.StageRef{ID: "s" + h.instance, Organization: "demo", Project: "shop", Name: "prod"}
	h.image = h.images.add(t, v1.Config{Entrypoint: []string{"/app"}}, appFiles(t))
	h.cfg = embedded.Config{
		Dir: filepath.Join(h.dir, "engine"), Instance: h.instance, Shim: shim,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	h.open()
	must(t, h.EnsureNetwork(ctx(t), h.stage))
	must(t, h.Prepare(ctx(t), h.image))
	t.Cleanup(h.tearDown)
	return h
}

// open starts what a server's process holds; the containers of an earlier one are there.
func (h *house) open() {
	h.t.Helper()
	store, err := image.New(image.Config{Dir: filepath.Join(h.dir, "images"), Source: h.images, Logger: h.cfg.Logger})
	must(h.t, err)
	net, err := network.New(network.Config{Dir: filepath.Join(h.dir, "network"), Instance: h.instance, Logger: h.cfg.Logger})
	must(h.t, err)
	h.cfg.Images, h.cfg.Network = store, net
	h.Runtime, err = embedded.New(h.cfg)
	must(h.t, err)
	h.close = func() {
		must(h.t, h.Runtime.Close())
		must(h.t, net.Close())
		must(h.t, store.Close())
	}
}

// reopen is a new server process after the end of the old one, whichever way it ended.
func (h *house) reopen() {
	h.t.Helper()
	h.close()
	h.open()
}

func (h *house) tearDown() {
	found, err := h.List(context.Background())
	must(h.t, err)
	for _, f := range found {
		if err := h.Remove(context.Background(), f.ID); err != nil {
			h.t.Error(err)
		}
	}
	must(h.t, h.RemoveNetwork(context.Background(), h.stage.ID))
	h.close()
}

// spec is a container that runs the app with those arguments.
func (h *house) spec(args ...string) host.Spec {
	return host.Spec{
		ID: randomHex(16), Stage: h.stage, App: "web", LogDir: filepath.Join(h.dir, "log"), LogName: "task",
		Container: engine.Container{Image: h.image, Command: args, CPU: 128, Memory: 64},
		Labels:    map[string]string{"generation": "7"},
	}
}

// run creates and starts a container.
func (h *house) run(c host.Spec) host.Spec {
	h.t.Helper()
	_, err := h.Create(ctx(h.t), c)
	must(h.t, err)
	must(h.t, h.Start(ctx(h.t), c.ID))
	return c
}

func (h *house) wait(c host.Spec) host.Exit {
	h.t.Helper()
	exit, err := h.Wait(ctx(h.t), c.ID)
	must(h.t, err)
	return exit
}

// log is what the container wrote so far, one line per line.
func (h *house) log(c host.Spec) string {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.LogDir, c.LogName+".*.log"))
	must(h.t, err)
	var lines []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(h.t, err)
		for line := range strings.Lines(string(b)) {
			_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			lines = append(lines, rest)
		}
	}
	return strings.Join(lines, "\n")
}

// awaitLog returns when the log has that line.
func (h *house) awaitLog(c host.Spec, line string) {
	h.t.Helper()
	h.await(func() bool { return strings.Contains(h.log(c)+"\n", line+"\n") }, "the log never had "+line)
}

// await returns when it is so.
func (h *house) await(so func() bool, otherwise string) {
	h.t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatal(otherwise)
		}
	}
}

func appFiles(t testing.TB) map[string]file {
	t.Helper()
	path, err := appProgram()
	must(t, err)
	content, err := os.ReadFile(path)
	must(t, err)
	return map[string]file{"app": {0o755, content}, "unended": {0o644, []byte("no end")}}
}

func needRoot(t testing.TB) {
	t.Helper()
	for _, why := range embedded.Check() {
		if os.Getenv("SETOPS_TEST_ALL") != "" {
			t.Fatal("containers cannot run here: " + why)
		}
		t.Skip("containers cannot run here: " + why)
	}
}

func ctx(t testing.TB) context.Context {
	t.Helper()
	c, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return c
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
