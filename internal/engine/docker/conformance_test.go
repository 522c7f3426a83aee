//go:build linux

package docker_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/docker"
	"github.com/setopsco/setops/internal/engine/enginetest"
	"github.com/setopsco/setops/internal/engine/gateway"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

// TestTheDockerEnginePassesTheSuite holds the supervisor on Docker to what engines promise.
func TestTheDockerEnginePassesTheSuite(t *testing.T) {
	needDocker(t)
	s := openStore(t)
	stage := setops.StageRef{Organization: "suite", Project: "shop", Name: "prod"}
	foreign := "arm64"
	if goarch == foreign {
		foreign = "amd64"
	}
	image := s.push(t, stage, goarch, v1.Config{Entrypoint: []string{"/testapp"}, Cmd: []string{"serve"}}, testappFiles(t))
	t.Cleanup(func() { removeImages(t, s, "suite/shop/prod") })
	enginetest.Run(t, enginetest.Harness{
		New: func(t *testing.T, dir string, d engine.Drainer, serve engine.Serve) engine.Engine {
			return openSupervised(t, dir, s, d, serve)
		},
		Image:     image,
		Foreign:   s.push(t, stage, foreign, v1.Config{Entrypoint: []string{"/testapp"}}, testappFiles(t)),
		Proven:    2 * time.Second,
		Isolates:  true,
		Fronts:    true,
		SeesPorts: true,
	})
}

// supervised is an engine as setopsd puts it together.
type supervised struct {
	*host.Supervisor
	runtime *opened
}

// Close ends what a server's process holds.
func (s *supervised) Close() error { return errors.Join(s.Supervisor.Close(), s.runtime.Close()) }

func openSupervised(t *testing.T, dir string, s *store, d engine.Drainer, serve engine.Serve) engine.Engine {
	t.Helper()
	sum := sha256.Sum256([]byte(dir))
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	r, err := openRuntime(t.Context(), docker.Config{
		Dir: dir, Instance: hex.EncodeToString(sum[:4]), Registry: s.address, Credentials: s.credentials,
		Images: s.registry, Logger: logger,
	}, serve)
	must(t, err)
	supervisor, err := host.New(t.Context(), host.Config{
		Dir: filepath.Join(dir, "host"), Runtime: r, Drainer: d, Logger: logger,
		Timings: host.Timings{
			ProvenAfter: 2 * time.Second,
			BackOff:     host.BackOff{First: 100 * time.Millisecond, Most: time.Second, Reset: time.Minute},
		},
	})
	must(t, err)
	return &supervised{Supervisor: supervisor, runtime: r}
}

func removeImages(t *testing.T, s *store, prefix string) {
	t.Helper()
	r, err := openRuntime(context.Background(), docker.Config{Dir: t.TempDir(), Instance: randomHex(4), Registry: s.address}, nil)
	must(t, err)
	must(t, r.RemoveImages(context.Background(), prefix))
	must(t, r.Close())
}

// opened is a runtime with its gateways.
type opened struct {
	*docker.Runtime
	gateways *gateway.Gateways
}

// Close ends what a server's process holds.
func (o *opened) Close() error { return errors.Join(o.Runtime.Close(), o.gateways.Close()) }

func openRuntime(c context.Context, cfg docker.Config, serve engine.Serve) (*opened, error) {
	g, err := gateway.New(gateway.Config{
		Dir: filepath.Join(cfg.Dir, "gateways"), Instance: cfg.Instance, Domain: "localhost", Serve: serve, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	cfg.Gateways = g
	r, err := docker.New(c, cfg)
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return &opened{r, g}, nil
}
