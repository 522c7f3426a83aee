package daemon

import (
	"context"
	"path/filepath"

	"github.com/setopsco/setops/internal/engine/docker"
	"github.com/setopsco/setops/internal/engine/gateway"
)

func (e *localEngine) openDocker(ctx context.Context, c EngineConfig) error {
	gateways, err := gateway.New(gateway.Config{
		Dir: filepath.Join(c.Dir, "gateways"), Instance: c.Instance, Domain: c.Domain,
		Serve: c.Serve, Sockets: c.Sockets, Logger: c.Logger,
	})
	if err != nil {
		return err
	}
	e.close = append(e.close, gateways.Close)
	runtime, err := docker.New(ctx, docker.Config{
		Dir: c.Dir, Instance: c.Instance, Host: c.DockerHost, Gateways: gateways,
		Registry: c.RegistryAddress, Credentials: c.RegistryCredentials, Images: c.Images, Logger: c.Logger,
	})
	if err != nil {
		return err
	}
	e.close = append(e.close, runtime.Close)
	e.runtime = runtime
	return nil
}
