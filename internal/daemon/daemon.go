// Package daemon is the composition root of setopsd: it makes every part of the server, joins them, starts them in the
// right order and stops them in the reverse one. It is the only package that knows all the others, and it decides
// nothing else. Start with Daemon.Open.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/project"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/router"
	"github.com/setopsco/setops/internal/routing"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/store"
)

// Daemon is one server: Open, then Run, then Close.
type Daemon struct {
	Config Config
	Out    io.Writer // gets the ready line, and where the first password is
	Logger *slog.Logger
	// NewEngine makes another engine than Config.Engine says; tests use it.
	NewEngine func(ctx context.Context, c EngineConfig) (engine.Engine, error)

	dir            *dataDir
	sealKey        []byte
	organizationID string
	sessions       *auth.Sessions
	projects       *project.Service

	store    *store.Store
	box      *seal.Box
	registry *registry.Registry
	router   *router.Router
	routes   *routing.Table
	engine   engine.Engine
	commits  *commit.Service
	prepares *preparer

	api, http struct {
		listener net.Listener
		server   *http.Server
	}
	ready    atomic.Bool
	stopping chan struct{}
	loops    sync.WaitGroup
	endLoops context.CancelFunc
	closers  []func() error
}

// APIAddress and RouterAddress are where the server listens, once it is open.
func (d *Daemon) APIAddress() string { return d.api.listener.Addr().String() }

// RouterAddress is where apps answer.
func (d *Daemon) RouterAddress() string { return d.http.listener.Addr().String() }

// Open makes all parts and listens; nothing is answered before Run. On an error everything is closed again.
func (d *Daemon) Open(ctx context.Context) error {
	d.stopping = make(chan struct{})
	for _, open := range []func(context.Context) error{
		d.openConfig, d.openListeners, d.openStore, d.openRegistry, d.openRouter, d.openEngine, d.openCommits, d.openServers,
	} {
		if err := open(ctx); err != nil {
			return errors.Join(err, d.Close())
		}
	}
	return nil
}

func (d *Daemon) onClose(f func() error) { d.closers = append(d.closers, f) }

func (d *Daemon) openConfig(context.Context) (err error) {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if err := d.Config.check(); err != nil {
		return err
	}
	if err := d.Config.read(); err != nil {
		return err
	}
	if d.NewEngine == nil { // before the first file is written
		if err := checkEmbedded(); err != nil {
			return err
		}
	}
	if err := d.checkPassword(); err != nil {
		return err
	}
	if d.dir, err = openDataDir(d.Config.DataDir); err != nil {
		return err
	}
	d.onClose(d.dir.Close)
	return nil
}

// openListeners comes before anything is written: a port that is taken must leave no half first start behind.
func (d *Daemon) openListeners(context.Context) (err error) {
	if d.api.listener, err = listen("listen", d.Config.Listen); err != nil {
		return err
	}
	d.onClose(closeOnce(d.api.listener))
	if d.http.listener, err = listen("http-listen", d.Config.HTTPListen); err != nil {
		return err
	}
	d.onClose(closeOnce(d.http.listener))
	return nil
}

func (d *Daemon) openServers(context.Context) error {
	d.api.server = &http.Server{
		Handler: d.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(d.Logger.Handler(), slog.LevelDebug),
	}
	d.http.server = router.NewServer(d.router, d.Logger)
	return nil
}

func listen(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on --%s %s: %w", flag, address, err)
	}
	return l, nil
}

func closeOnce(l net.Listener) func() error {
	return func() error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

// Run brings the stages to their last committed state, serves, says so, and returns when ctx has ended and all that was
// in flight is answered. Tasks go on running.
func (d *Daemon) Run(ctx context.Context) error {
	loops, cancel := context.WithCancel(context.WithoutCancel(ctx))
	d.endLoops = cancel
	d.loops.Go(func() { d.engine.Watch(loops, func(stage string) { d.routes.TasksChanged(loops, stage) }) })
	d.loops.Go(func() { d.purgeUploads(loops) })
	if err := d.commits.Resume(ctx); err != nil {
		return fmt.Errorf("restore the committed state: %w", err)
	}
	failed := make(chan error, 2)
	d.loops.Go(func() { failed <- d.api.server.Serve(d.api.listener) })
	d.loops.Go(func() { failed <- d.http.server.Serve(d.http.listener) })
	d.loops.Go(func() { d.resumeDestroying(loops) })
	d.ready.Store(true)
	fmt.Fprintf(d.Out, "setopsd ready api=http://%s router=http://%s\n", d.APIAddress(), d.RouterAddress())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return d.drain()
	}
}

// stopLimit is how long requests in flight are waited for when the server stops.
const stopLimit = 15 * time.Second

func (d *Daemon) drain() error {
	d.Logger.Info("stopping; tasks go on running")
	d.ready.Store(false)
	close(d.stopping)
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	var wg sync.WaitGroup
	for _, server := range []*http.Server{d.api.server, d.http.server} {
		wg.Go(func() {
			if server.Shutdown(ctx) != nil {
				server.Close()
			}
		})
	}
	wg.Wait()
	return nil
}

// Close frees what Open made, last first.
func (d *Daemon) Close() error {
	if d.endLoops != nil {
		d.endLoops()
	}
	for _, server := range []*http.Server{d.api.server, d.http.server} {
		if server != nil {
			server.Close()
		}
	}
	d.loops.Wait()
	var all []error
	for i := len(d.closers) - 1; i >= 0; i-- {
		all = append(all, d.closers[i]())
	}
	d.closers = nil
	return errors.Join(all...)
}
