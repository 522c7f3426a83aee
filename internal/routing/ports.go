package routing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"syscall"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// PortStore remembers which TCP port of the router each app has.
type PortStore interface {
	// ReservePort gives the app the port that it has from low to high, or the lowest free one. Errors: CommitFailed where
	// all are taken.
	ReservePort(ctx context.Context, stageID, app string, low, high int) (int, error)
	ReleasePort(ctx context.Context, stageID, app string) error
	Ports(ctx context.Context, stageID string) (map[string]int, error)
}

// Ports listens on TCP ports of the router for public apps that speak tcp, or has others do so. A port stays an app's for as long
// as the app is that, over restarts too.
type Ports struct {
	Host      string // where to listen, without a port
	Low, High int    // the range that ports are taken from; both 0: there is none
	Store     PortStore
	Listen    func(key string, listen func() (net.Listener, error)) (net.Listener, error)
	// Serve takes connections for an app until the listener is closed.
	Serve  func(l net.Listener, stageID, app string) error
	Engine engine.Ports // where connections come by it; nil: this process listens
	Logger *slog.Logger

	mu        sync.Mutex
	listeners map[portKey]net.Listener
	serving   sync.WaitGroup
}

type portKey struct{ stageID, app string }

// OpenPort gives an app a port and opens it. A port that another program has is passed over. Errors: CommitFailed
// where no port is left.
func (p *Ports) OpenPort(ctx context.Context, s setops.StageRef, app string) error {
	if p.High == 0 {
		return setops.Refuse(setops.CommitFailed, "app %s is public and speaks tcp, but this server has no TCP ports for apps; "+
			"make it private with `setops --app %s network:set public false`, or ask the server's operator for --tcp-ports", app, app)
	}
	for low := p.Low; ; {
		port, err := p.Store.ReservePort(ctx, s.ID, app, low, p.High)
		if err != nil {
			return err
		}
		taken := p.take(ctx, s, app, port)
		if taken == nil {
			return nil
		}
		err = p.Store.ReleasePort(ctx, s.ID, app)
		if err != nil || !errors.Is(taken, syscall.EADDRINUSE) {
			return errors.Join(taken, err)
		}
		p.Logger.Warn("another program has a port of --tcp-ports", "port", port)
		low = port + 1
	}
}

// ClosePort gives the port of an app back. Connections in flight go on.
func (p *Ports) ClosePort(ctx context.Context, s setops.StageRef, app string) error {
	p.close(func(k portKey) bool { return k == portKey{s.ID, app} })
	if p.Engine != nil {
		if err := p.Engine.ClosePort(ctx, s, app); err != nil {
			return fmt.Errorf("close the port of app %s: %w", app, err)
		}
	}
	return p.Store.ReleasePort(ctx, s.ID, app)
}

// take opens a port where its connections come.
func (p *Ports) take(ctx context.Context, s setops.StageRef, app string, port int) error {
	if p.Engine == nil {
		return p.open(s.ID, app, port)
	}
	if err := p.Engine.OpenPort(ctx, s, app, port); err != nil {
		return fmt.Errorf("open port %d for app %s: %w", port, app, err)
	}
	return nil
}

// elsewhere gives the ports of a stage that this process does not listen on.
func (p *Ports) elsewhere(ctx context.Context, stageID string) (map[string]int, error) {
	if p == nil || p.Engine == nil {
		return nil, nil
	}
	return p.Store.Ports(ctx, stageID)
}

// Resume listens on the ports that the apps of a stage have, as far as it does not yet.
func (p *Ports) Resume(ctx context.Context, stageID string) error {
	if p.Engine != nil {
		return nil // SetServed is told of them
	}
	ports, err := p.Store.Ports(ctx, stageID)
	if err != nil {
		return err
	}
	var all []error
	for app, port := range ports {
		all = append(all, p.open(stageID, app, port))
	}
	return errors.Join(all...)
}

// Forget closes the ports of a stage that is gone.
func (p *Ports) Forget(stageID string) {
	p.close(func(k portKey) bool { return k.stageID == stageID })
}

// Close ends listening and returns when nobody accepts any more. Ports stay reserved.
func (p *Ports) Close() error {
	p.close(func(portKey) bool { return true })
	p.serving.Wait()
	return nil
}

func (p *Ports) open(stageID, app string, port int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := portKey{stageID, app}
	if p.listeners[key] != nil {
		return nil
	}
	address := net.JoinHostPort(p.Host, strconv.Itoa(port))
	listener, err := p.Listen("tcp port "+address, func() (net.Listener, error) { return net.Listen("tcp", address) })
	if err != nil {
		return fmt.Errorf("listen for app %s: %w", app, err)
	}
	if p.listeners == nil {
		p.listeners = map[portKey]net.Listener{}
	}
	p.listeners[key] = listener
	p.serving.Go(func() {
		if err := p.Serve(listener, stageID, app); err != nil && !errors.Is(err, net.ErrClosed) {
			p.Logger.Error("take connections for an app", "app", app, "address", address, "error", err)
		}
	})
	return nil
}

func (p *Ports) close(choose func(portKey) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, listener := range p.listeners {
		if choose(key) {
			_ = listener.Close() // Serve says what is worth saying
			delete(p.listeners, key)
		}
	}
}
