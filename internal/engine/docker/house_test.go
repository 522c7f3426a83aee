//go:build linux

package docker_test

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

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/docker"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

// patience is for what should take milliseconds, on a machine that is busy.
const patience = time.Minute

// needDocker skips where no Docker answers, and fails instead where all tests are asked for.
func needDocker(t testing.TB) {
	t.Helper()
	if err := docker.Check(context.Background(), ""); err != nil {
		if os.Getenv("SETOPS_TEST_ALL") != "" && os.Getenv("SETOPS_TEST_DOCKER") != "" {
			t.Fatal("Docker Engine is needed: ", err)
		}
		t.Skip("Docker Engine is needed: ", err)
	}
}

// built is where TestMain lets programs be built.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "setops-docker-")
	if err != nil {
		panic(err)
	}
	built = dir
	code := m.Run()
	closeStore()
	os.RemoveAll(dir)
	os.Exit(code)
}

var testapp = sync.OnceValues(func() (string, error) {
	path := filepath.Join(built, "testapp")
	c := exec.Command("go", "build", "-o", path, "-ldflags", "-s -w", "../enginetest/testapp")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	c.Stderr = os.Stderr
	return path, c.Run()
})

// house is a runtime with all that it stands on.
type house struct {
	*opened
	t     testing.TB
	cfg   docker.Config
	store *store
	image engine.Image // whose entrypoint is testapp
	stage setops.StageRef
}

func newHouse(t testing.TB) *house {
	t.Helper()
	needDocker(t)
	h := &house{t: t, store: openStore(t)}
	instance := randomHex(4)
	h.stage = setops.StageRef{ID: "s" + instance, Organization: "demo", Project: "shop", Name: "t" + instance}
	h.image = h.store.push(t, h.stage, goarch, imageConfig("/testapp"), testappFiles(t))
	h.cfg = docker.Config{
		Dir: filepath.Join(t.TempDir(), "strange, but: allowed"), Instance: instance,
		Registry: h.store.address, Credentials: h.store.credentials, Images: h.store.registry,
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
	r, err := openRuntime(h.t.Context(), h.cfg, nil)
	must(h.t, err)
	h.opened = r
}

// reopen is a new server process after the end of the old one.
func (h *house) reopen(meanwhile func()) []host.Found {
	h.t.Helper()
	must(h.t, h.Close())
	meanwhile()
	h.open()
	found, err := h.List(ctx(h.t))
	must(h.t, err)
	return found
}

func (h *house) tearDown() {
	all := context.Background()
	found, err := h.List(all)
	must(h.t, err)
	for _, f := range found {
		if err := h.Remove(all, f.ID); err != nil {
			h.t.Error(err)
		}
	}
	must(h.t, h.RemoveNetwork(all, h.stage.ID))
	must(h.t, h.RemoveImages(all, "demo/shop/"+h.stage.Name))
	must(h.t, h.Close())
}

// spec is a container that runs testapp with those words.
func (h *house) spec(words ...string) host.Spec {
	id := randomHex(16)
	return host.Spec{
		ID: id, Stage: h.stage, App: "web", LogDir: filepath.Join(h.cfg.Dir, "logs", "web"), LogName: id,
		Container: engine.Container{Image: h.image, Command: words, CPU: 128, Memory: 64, Env: []string{"PORT=5000"}},
		Labels:    map[string]string{"setops.generation": "7"},
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

// log is what the container wrote so far, a line each, without times.
func (h *house) log(c host.Spec) []string {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(strings.ReplaceAll(c.LogDir, "[", "\\["), c.LogName+".*.log"))
	must(h.t, err)
	var lines []string
	for i := range files { // by their numbers: 10 comes behind 9
		b, err := os.ReadFile(filepath.Join(c.LogDir, fmt.Sprintf("%s.%d.log", c.LogName, i+1)))
		must(h.t, err)
		for line := range strings.Lines(string(b)) {
			_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			lines = append(lines, rest)
		}
	}
	return lines
}

// awaitLog returns when the log has that line.
func (h *house) awaitLog(c host.Spec, line string) {
	h.t.Helper()
	h.await(func() bool {
		for _, l := range h.log(c) {
			if l == line {
				return true
			}
		}
		return false
	}, "the log never had "+line)
}

// await returns when it is so.
func (h *house) await(so func() bool, otherwise string) {
	h.t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatal(otherwise)
		}
	}
}

const goarch = runtime.GOARCH

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
