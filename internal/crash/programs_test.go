//go:build linux

package crash

import (
	"archive/tar"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

var (
	seed   = flag.Uint64("seed", 1, "of the random moments")
	random = flag.Int("random", 4, "how many random moments of a commit there are")
	only   = flag.String("faults", "", "of the matrix, with commas between: these alone, one after the other in the same commit")
)

// built is where TestMain lets programs be built.
var built string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "setops-crash-")
	if err != nil {
		panic(err)
	}
	built = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// programs builds setopsd and, beside it, its shim. It gives the path of setopsd.
var programs = sync.OnceValues(func() (string, error) {
	_, err1 := build("setops-shim", "../../cmd/setops-shim", "1",
		"-tags", "seccomp netgo osusergo", "-ldflags", "-s -w -linkmode external -extldflags -static")
	path, err2 := build("setopsd", "../../cmd/setopsd", "0", "-ldflags", "-s -w")
	return path, errors.Join(err1, err2)
})

// breakable builds a setopsd that breaks where it is told to: see chaos.go in package daemon.
var breakable = sync.OnceValues(func() (string, error) {
	return build("setopsd-breakable", "../../cmd/setopsd", "0", "-tags", "chaos", "-ldflags", "-s -w")
})

func build(name, pkg, cgo string, flags ...string) (string, error) {
	path := filepath.Join(built, name)
	c := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), pkg)...)
	c.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", name, err, out)
	}
	return path, nil
}

// appImage has one layer, with the app that engines are tested with.
var appImage = sync.OnceValues(func() (v1.Image, error) {
	path, err := build("testapp", "../engine/enginetest/testapp", "0", "-ldflags", "-s -w")
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	err = w.WriteHeader(&tar.Header{Name: "testapp", Mode: 0o755, Size: int64(len(program))})
	_, written := w.Write(program)
	if err := errors.Join(err, written, w.Close()); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint, config.Config.Cmd = []string{"/testapp"}, []string{"serve"}
	return mutate.ConfigFile(image, config)
})

// onEachEngine runs a test on every engine that there is.
func onEachEngine(t *testing.T, test func(t *testing.T, engine string)) {
	onEachHost(t, test)
	onCluster(t, test)
}

// onEachHost runs a test on every engine whose tasks are on this machine.
func onEachHost(t *testing.T, test func(t *testing.T, engine string)) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		needEmbedded(t)
		test(t, "embedded")
	})
	t.Run("docker", func(t *testing.T) {
		t.Parallel()
		needDocker(t)
		test(t, "docker")
	})
}

func needEmbedded(t *testing.T) {
	t.Helper()
	need(t, os.Geteuid() == 0, "containers need root")
	for _, tool := range []string{"gcc", "nft", "ip"} {
		_, err := exec.LookPath(tool)
		need(t, err == nil, tool+" is not installed")
	}
}

func needDocker(t *testing.T) {
	t.Helper()
	if os.Getenv("SETOPS_TEST_DOCKER") != "1" {
		t.Skip("SETOPS_TEST_DOCKER is not 1")
	}
	needEmbedded(t)
	need(t, exec.Command("docker", "info").Run() == nil, "Docker Engine does not answer")
}

// need skips what cannot run here, and fails where everything shall run.
func need(t testing.TB, there bool, lacking string) {
	t.Helper()
	switch {
	case there:
	case os.Getenv("SETOPS_TEST_ALL") != "":
		t.Fatal(lacking)
	default:
		t.Skip(lacking)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
