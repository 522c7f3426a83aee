package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/embedded"
	"github.com/setopsco/setops/internal/engine/embedded/image"
	"github.com/setopsco/setops/internal/engine/embedded/network"
	"github.com/setopsco/setops/internal/engine/embedded/shimbin"
	"github.com/setopsco/setops/internal/engine/host"
)

// embeddedEngine is a supervisor with all that its runtime stands on.
type embeddedEngine struct {
	*host.Supervisor
	close []func() error
}

// Close stops supervising; tasks go on.
func (e *embeddedEngine) Close() error {
	all := []error{e.Supervisor.Close()}
	for i := len(e.close) - 1; i >= 0; i-- {
		all = append(all, e.close[i]())
	}
	return errors.Join(all...)
}

// checkEmbedded says exactly what this machine lacks for the embedded engine.
func checkEmbedded() error {
	if missing := embedded.Check(); len(missing) > 0 {
		return fmt.Errorf("the embedded engine cannot run here:\n  %s", strings.Join(missing, "\n  "))
	}
	return nil
}

func newEmbedded(ctx context.Context, c EngineConfig) (engine.Engine, error) {
	e := &embeddedEngine{}
	if err := e.open(ctx, c); err != nil {
		for i := len(e.close) - 1; i >= 0; i-- {
			err = errors.Join(err, e.close[i]())
		}
		return nil, fmt.Errorf("open embedded engine: %w", err)
	}
	return e, nil
}

func (e *embeddedEngine) open(ctx context.Context, c EngineConfig) error {
	shim, err := shimbin.Locate(filepath.Join(c.Dir, "shim"))
	if err != nil {
		return err
	}
	images, err := image.New(image.Config{Dir: filepath.Join(c.Dir, "images"), Source: c.Images, Logger: c.Logger})
	if err != nil {
		return err
	}
	e.close = append(e.close, images.Close)
	if missing := image.Check(filepath.Join(c.Dir, "images")); len(missing) > 0 {
		return errors.New(strings.Join(missing, "; "))
	}
	net, err := network.New(network.Config{
		Dir: filepath.Join(c.Dir, "network"), Instance: c.Instance, Domain: c.Domain, Serve: c.Serve, Sockets: c.Sockets, Logger: c.Logger,
	})
	if err != nil {
		return err
	}
	e.close = append(e.close, net.Close)
	runtime, err := embedded.New(embedded.Config{
		Dir: filepath.Join(c.Dir, "containers"), Instance: c.Instance, Images: images, Network: net, Shim: shim, Logger: c.Logger,
	})
	if err != nil {
		return err
	}
	e.close = append(e.close, runtime.Close)
	e.Supervisor, err = host.New(ctx, host.Config{
		Dir: filepath.Join(c.Dir, "supervisor"), Runtime: runtime, Drainer: c.Drainer, Logger: c.Logger,
	})
	return err
}
