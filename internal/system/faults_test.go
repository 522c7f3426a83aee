//go:build linux

package system

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/pkg/api"
)

// isFault looks whether a failure is told as the server's.
func isFault(t *testing.T, f api.Failure, screen string, says ...string) {
	t.Helper()
	if f.Code != "ServerFailure" || f.App != "web" {
		t.Errorf("got %+v", f)
	}
	for _, part := range append(says, "no app is to blame") {
		if !strings.Contains(f.Message, part) || !strings.Contains(screen, part) {
			t.Errorf("%q lacks %q:\n%s", f.Message, part, screen)
		}
	}
}

func TestALayerThatTheRegistryHasLostIsNoFaultOfTheApp(t *testing.T) {
	t.Parallel()
	onEachHost(t, func(t *testing.T, engine string) {
		s := openServer(t, engine, nil)
		st := s.newStage(t, "lost", "web")
		image, layer := withLayer(t, []byte("only here"))
		commands := st.release(t, "web", image, 2)
		must(t, os.Remove(s.blob(t, layer)))
		f, screen := st.fail(t, commands...)
		isFault(t, f, screen, "could not bring the image of app web to where tasks start")
		if f.Check != "image" || f.TaskID != "" {
			t.Errorf("got %+v", f)
		}
		st.isAsBefore(t, 2, "web")
	})
}

// Docker has its images elsewhere.
func TestAFullDiskIsNoFaultOfTheApp(t *testing.T) {
	t.Parallel()
	need(t, os.Geteuid() == 0, "containers need root")
	s := openServer(t, "embedded", func(dir string) {
		must(t, os.MkdirAll(filepath.Join(dir, "engine"), 0o700))
		disk := filepath.Join(dir, "engine", "images")
		must(t, os.Mkdir(disk, 0o700))
		must(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=48m"))
		t.Cleanup(func() {
			if err := syscall.Unmount(disk, 0); err != nil {
				t.Error(err)
			}
		})
	})
	st := s.newStage(t, "full", "web")
	image, _ := withLayer(t, bytes.Repeat([]byte("full "), 20<<20))
	commands := st.release(t, "web", image, 2)
	f, screen := st.fail(t, commands...)
	isFault(t, f, screen, "no space left on the server's disk")
	if f.Temporary {
		t.Errorf("got %+v", f)
	}
	st.isAsBefore(t, 2, "web")
}

// withLayer gives the app's image with one layer more.
func withLayer(t *testing.T, content []byte) (v1.Image, v1.Hash) {
	t.Helper()
	first, err := appImage()
	must(t, err)
	layers, err := first.Layers()
	must(t, err)
	more, err := layerOf(map[string]file{"more": {0o644, content}})
	must(t, err)
	image, err := imageOf(runtime.GOARCH, append(layers, more)...)
	must(t, err)
	digest, err := more.Digest()
	must(t, err)
	return image, digest
}

// blob is where the registry keeps a layer.
func (s *server) blob(t *testing.T, layer v1.Hash) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.config.DataDir, "registry", "docker", "registry", "v2", "blobs", "sha256", "*", layer.Hex, "data"))
	if err != nil || len(found) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
	return found[0]
}
