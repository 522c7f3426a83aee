// Package edge is a router that runs by itself: beside setopsd in a cluster, and beside others of its kind. It has the router, its
// listeners and nothing else: no API, no store, no engine. What it routes it follows (published.Source), so that it goes on, and
// can be started, while no setopsd runs.
//
// Start with Serve. What is followed becomes the table in follow.go, reach.go finds out whether tasks can be reached, admin.go answers the
// cluster and setopsd, leave.go is its end.
package edge

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/setopsco/setops/internal/edge/published"
	"github.com/setopsco/setops/internal/handover"
	"github.com/setopsco/setops/internal/router"
)

// Config is what an Edge needs.
type Config struct {
	Source published.Source
	Logger *slog.Logger

	HTTP  net.Listener
	HTTPS net.Listener // nil: nothing is served by TLS
	Admin net.Listener // probes of the cluster, and what setopsd asks

	Server         *url.URL // setopsd; nil: the API is not answered here
	HTTPSPort      int      // of redirects; 0: 443
	TrustedProxies []netip.Prefix

	// Linger is how long it goes on taking connections once it is told to end, so that all can learn of it; default 5 s.
	Linger time.Duration
	// Leave is the longest wait for what is in flight then; default 60 s.
	Leave time.Duration
	// Reach is the longest wait at the start until all tasks take connections of this router; default 10 s.
	Reach time.Duration
}

// Edge is one such router.
type Edge struct {
	cfg    Config
	log    *slog.Logger
	router *router.Router
	server *relay // nil: the API is not answered here

	certificates atomic.Pointer[certificates]
	index        atomic.Pointer[published.Index] // nil: there is none yet
	leaving      atomic.Bool

	mu     sync.Mutex
	key    string
	synced bool // what was there at the start is known
	stages map[string]published.Version
	tasks  map[string][]string // addresses by stage, until they were tried
	tried  bool                // they were

	changed chan struct{} // closed when something of what is followed is another
}

// New makes an Edge that follows nothing yet.
func New(cfg Config) *Edge {
	if cfg.Linger <= 0 {
		cfg.Linger = 5 * time.Second
	}
	if cfg.Leave <= 0 {
		cfg.Leave = time.Minute
	}
	if cfg.Reach <= 0 {
		cfg.Reach = 10 * time.Second
	}
	e := &Edge{
		cfg: cfg, log: cfg.Logger, stages: map[string]published.Version{}, tasks: map[string][]string{},
		changed: make(chan struct{}),
	}
	e.certificates.Store(&certificates{})
	config := router.Config{Logger: cfg.Logger, TrustedProxies: cfg.TrustedProxies, HTTPSPort: cfg.HTTPSPort}
	if cfg.HTTPS != nil {
		config.Secure = func(host string) bool { return e.certificates.Load().forHost(host) != nil }
	}
	e.router = router.New(config)
	if cfg.Server != nil {
		e.server = newRelay(e, cfg.Server)
	}
	return e
}

// Serve answers until ctx ends and all that was in flight then is answered.
func (e *Edge) Serve(ctx context.Context) error {
	alive, end := context.WithCancel(context.WithoutCancel(ctx))
	var loops sync.WaitGroup
	defer loops.Wait()
	defer end()
	failed := make(chan error, 4)
	loops.Go(func() { failed <- e.cfg.Source.Follow(alive, e.follow, e.sync) })
	loops.Go(func() { e.tryTasks(alive) })

	admin := &http.Server{Handler: e.admin(), ReadHeaderTimeout: 10 * time.Second}
	defer admin.Close() //nolint:errcheck // it is the end
	loops.Go(func() { failed <- admin.Serve(e.cfg.Admin) })

	fronts := e.fronts()
	for _, f := range fronts {
		loops.Go(func() { failed <- f.serve() })
	}
	defer e.router.Close()
	select {
	case err := <-failed:
		for _, f := range fronts {
			f.cut()
		}
		return err
	case <-ctx.Done():
	}
	e.leave(fronts)
	return nil
}

// front is a listener with its server.
type front struct {
	listener net.Listener
	server   *handover.Server
}

func (f front) serve() error {
	err := f.server.Serve(f.listener)
	if errors.Is(err, net.ErrClosed) || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (f front) cut() {
	_ = f.listener.Close()
	_ = f.server.Close()
}

func (e *Edge) fronts() []front {
	plain := router.NewServer(http.HandlerFunc(e.servePlain), e.log)
	all := []front{{e.cfg.HTTP, handover.NewServer(plain)}}
	if e.cfg.HTTPS != nil {
		encrypted := router.NewServer(http.HandlerFunc(e.serveEncrypted), e.log)
		all = append(all, front{e.encrypt(e.cfg.HTTPS), handover.NewServer(encrypted)})
	}
	return all
}
