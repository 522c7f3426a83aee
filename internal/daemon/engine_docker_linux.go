package daemon

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

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
	images, err := serveImages(c.Dir, c.Registry)
	if err != nil {
		return err
	}
	e.close = append(e.close, images.close)
	runtime, err := docker.New(ctx, docker.Config{
		Dir: c.Dir, Instance: c.Instance, Host: c.DockerHost, Gateways: gateways,
		Registry: images.address, Credentials: c.Credentials, Images: c.Images, Logger: c.Logger,
	})
	if err != nil {
		return err
	}
	e.close = append(e.close, runtime.Close)
	e.runtime = runtime
	return nil
}

// imageServer is the registry as those reach it who pull for us. The API's address would not do: it may speak TLS, and answers
// only when the tasks are back that may have to be pulled.
type imageServer struct {
	address string
	server  *http.Server
	served  chan struct{}
}

// registryFile has the address: Docker names images by it, so that another one would have it pull them again.
const registryFile = "registry-address"

func serveImages(dir string, registry http.Handler) (*imageServer, error) {
	l, err := listenForDocker(filepath.Join(dir, registryFile))
	if err != nil {
		return nil, fmt.Errorf("listen for Docker, which pulls images: %w", err)
	}
	return serveAt(l, registry), nil
}

// listenForDocker listens where it did before, or else at a free port that it keeps.
func listenForDocker(path string) (net.Listener, error) {
	if before, err := os.ReadFile(path); err == nil {
		address := strings.TrimSpace(string(before))
		if l, err := net.Listen("tcp", address); err == nil && isLoopback(address) {
			return l, nil
		} else if err == nil {
			l.Close()
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if err := replaceFile(path, l.Addr().String()+"\n"); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (s *imageServer) close() error {
	err := s.server.Close()
	<-s.served
	return err
}
