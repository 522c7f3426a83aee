//go:build linux

package embedded_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/embedded"
	"github.com/setopsco/setops/internal/engine/embedded/image"
	"github.com/setopsco/setops/internal/engine/embedded/network"
	"github.com/setopsco/setops/internal/engine/enginetest"
	"github.com/setopsco/setops/internal/engine/host"
)

var testappProgram = sync.OnceValues(func() (string, error) {
	return build("testapp", "../enginetest/testapp", "CGO_ENABLED=0", "-ldflags", "-s -w")
})

// TestTheEmbeddedEnginePassesTheSuite holds the supervisor on the embedded runtime to what engines promise.
func TestTheEmbeddedEnginePassesTheSuite(t *testing.T) {
	needRoot(t)
	shim, err := shimProgram()
	must(t, err)
	source := images{}
	enginetest.Run(t, enginetest.Harness{
		New: func(t *testing.T, dir string, d engine.Drainer, serve engine.Serve) engine.Engine {
			return openSupervised(t, dir, shim, source, d, serve)
		},
		Image:    source.add(t, v1.Config{Entrypoint: []string{"/testapp"}, Cmd: []string{"serve"}}, testappFiles(t)),
		Foreign:  source.addForeign(t),
		Proven:   2 * time.Second,
		Isolates: true,
		Fronts:   true,
	})
}

// supervised is an engine as setopsd puts it together.
type supervised struct {
	*host.Supervisor
	parts []func() error
}

func openSupervised(t *testing.T, dir, shim string, source images, d engine.Drainer, serve engine.Serve) engine.Engine {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	sum := sha256.Sum256([]byte(dir))
	instance := hex.EncodeToString(sum[:4])
	store, err := image.New(image.Config{Dir: filepath.Join(dir, "images"), Source: source, Logger: logger})
	must(t, err)
	net, err := network.New(network.Config{Dir: filepath.Join(dir, "network"), Instance: instance, Serve: serve, Logger: logger})
	must(t, err)
	r, err := embedded.New(embedded.Config{
		Dir: filepath.Join(dir, "engine"), Instance: instance, Images: store, Network: net, Shim: shim, Logger: logger,
	})
	must(t, err)
	s, err := host.New(t.Context(), host.Config{
		Dir: filepath.Join(dir, "host"), Runtime: r, Drainer: d, Logger: logger,
		Timings: host.Timings{
			ProvenAfter: 2 * time.Second,
			BackOff:     host.BackOff{First: 100 * time.Millisecond, Most: time.Second, Reset: time.Minute},
		},
	})
	must(t, err)
	return &supervised{Supervisor: s, parts: []func() error{s.Close, r.Close, net.Close, store.Close}}
}

// Close ends what a server's process holds.
func (s *supervised) Close() error {
	var errs []error
	for _, end := range s.parts {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

func testappFiles(t *testing.T) map[string]file {
	t.Helper()
	path, err := testappProgram()
	must(t, err)
	content, err := os.ReadFile(path)
	must(t, err)
	return map[string]file{"testapp": {0o755, content}}
}

// addForeign puts an image for another architecture there.
func (s images) addForeign(t *testing.T) engine.Image {
	t.Helper()
	foreign := "arm64"
	if goarch == foreign {
		foreign = "amd64"
	}
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: foreign})
	must(t, err)
	digest, err := img.Digest()
	must(t, err)
	s[digest.String()] = img
	return engine.Image{Repository: "demo/shop/prod/web", Digest: digest.String()}
}
