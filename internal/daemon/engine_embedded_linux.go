package daemon

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/setopsco/setops/internal/engine/embedded"
	"github.com/setopsco/setops/internal/engine/embedded/image"
	"github.com/setopsco/setops/internal/engine/embedded/network"
	"github.com/setopsco/setops/internal/engine/embedded/shimbin"
)

func (e *localEngine) openEmbedded(c EngineConfig) error {
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
	e.runtime = runtime
	return nil
}
