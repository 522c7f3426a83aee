// Package router is the front of the platform: it takes a request for a host to one of the healthy tasks behind that
// host, a connection to a TCP port to one of those behind that port, and lets releases be replaced without losing either.
//
// It is an http.Handler that parses nothing itself: net/http's server reads requests, and net/http's own code writes and
// reads what goes to tasks and comes from them. It knows hosts, upstreams and owners;
// apps, stages and engines are words of others, and it imports nothing of ours but its own transport. It owns no listener
// and no certificate either: NewServer gives a server with suitable limits to whoever does, and ServeStream is given the
// listener.
//
// The files follow a request: server.go, handler.go (which host?), redirect.go (here at all?), table.go and pool.go (which
// upstream?), flight.go (there and back), upload.go, transport (there, but not twice), stall.go (for how long?),
// headers.go, trusted.go, pages.go; a connection: stream.go, splice.go. A deploy is Set, in set.go, and then Drain, in
// drain.go. What is remembered of a task across deploys is in upstream.go, its ongoing checks are in monitor.go.
package router

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/setopsco/setops/internal/router/transport"
)

// Defaults of Config.
const (
	DefaultProbeInterval    = 10 * time.Second
	DefaultProbeTimeout     = 5 * time.Second
	DefaultFailuresToRemove = 3
	DefaultSlowStart        = 10 * time.Second
	DefaultStallTimeout     = 2 * time.Minute
	DefaultHTTPSPort        = 443
)

// ErrRouted is returned by Drain for an upstream that is in the table, so that it would never become idle.
var ErrRouted = errors.New("upstream is still in a route")

// Config is what a Router needs. Every zero value means the default.
type Config struct {
	Logger           *slog.Logger  // nothing is logged without it
	ProbeInterval    time.Duration // from one check of an upstream to the next, give or take a tenth
	ProbeTimeout     time.Duration // for one check
	FailuresToRemove int           // consecutive ones that take an upstream out; one success puts it back
	SlowStart        time.Duration // until a fresh upstream gets its full share of requests
	StallTimeout     time.Duration // how long a client may send nothing of a body, or take nothing of an answer

	// TrustedProxies may say who asked them for what: their Forwarded, X-Forwarded-*, X-Real-Ip and X-Request-Id
	// are kept. Nobody else's are.
	TrustedProxies []netip.Prefix
	// Secure tells whether a host is served by TLS; plain requests for it are redirected there. nil: none is.
	Secure    func(host string) bool
	HTTPSPort int // of those redirects
}

// Upstream is one task that answers requests.
type Upstream struct {
	ID   string // unique for ever: what is known of an upstream hangs on it
	Addr string // host:port
}

// Routes are all that one owner has in the table.
type Routes struct {
	HTTP []Route
	TCP  []Stream
}

// Route says which upstreams answer a host.
type Route struct {
	// Host is canonical or not; two owners must not claim the same public one. "*.example.com" stands for any one
	// label in the place of the star; a host that is named exactly goes before it.
	Host      string
	Upstreams []Upstream
	// Private routes are seen by Private(owner) only, public ones by ServeHTTP only.
	Private bool
	// Redirect, unless "", is the host to which all requests are sent on, with their path and query.
	Redirect string
	// Unproven lets an upstream that is new stand back behind all others until its Check has passed once. Without
	// it a new upstream is taken for healthy, because somebody else has checked it.
	Unproven bool
	// Check asks an upstream whether it should stay in the route. It must return when ctx is done. nil means
	// that nobody asks. An upstream that is in several routes is asked by the first check among them; one
	// that several owners name, by the last Set.
	Check func(ctx context.Context, addr string) error
	// CheckKey changes when Check does: functions cannot be compared.
	CheckKey string
}

// Stream says which upstreams answer the connections that ServeStream accepts for a key.
type Stream struct {
	Key       string // unique within the owner
	Upstreams []Upstream
	Unproven  bool                                         // as in Route
	Check     func(ctx context.Context, addr string) error // as in Route
	CheckKey  string                                       // as in Route
}

// Router is safe for concurrent use. Make it with New, end it with Close.
type Router struct {
	config    Config
	log       *slog.Logger
	table     atomic.Pointer[table]
	transport *transport.Transport
	flights   sync.Pool // of *flight
	buffers   sync.Pool // of *[copyBuffer]byte

	dialer  net.Dialer // for streams
	streams streams

	mu        sync.Mutex // held by those who write: Set, Close, forget
	owners    map[string]holding
	upstreams map[string]*upstream // routed ones, and departed ones that are not idle yet
	closed    bool

	monitors sync.WaitGroup
	life     context.Context // of the monitors, and of attempts to connect streams
	endLife  context.CancelFunc
}

// New returns a Router without routes.
func New(config Config) *Router {
	r := &Router{
		config:    config.withDefaults(),
		transport: newTransport(),
		dialer:    net.Dialer{Timeout: dialTimeout},
		owners:    map[string]holding{},
		upstreams: map[string]*upstream{},
	}
	r.log = r.config.Logger
	r.table.Store(newTable())
	r.life, r.endLife = context.WithCancel(context.Background())
	r.flights.New = func() any { return r.newFlight() }
	return r
}

// Close ends all checks and waits for them, and closes what an http.Server's Shutdown leaves open: upgraded connections,
// streams, and idle connections to upstreams. New streams are reset. Requests that are still answered by the table are
// not hindered.
func (r *Router) Close() {
	r.mu.Lock()
	r.closed = true
	r.endLife()
	for _, u := range r.upstreams {
		u.closeTunnels()
	}
	r.mu.Unlock()
	r.streams.close()
	r.monitors.Wait()
	r.streams.active.Wait()
	r.transport.CloseIdleConnections()
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.ProbeInterval <= 0 {
		c.ProbeInterval = DefaultProbeInterval
	}
	if c.ProbeTimeout <= 0 {
		c.ProbeTimeout = DefaultProbeTimeout
	}
	if c.FailuresToRemove <= 0 {
		c.FailuresToRemove = DefaultFailuresToRemove
	}
	if c.SlowStart <= 0 {
		c.SlowStart = DefaultSlowStart
	}
	if c.StallTimeout <= 0 {
		c.StallTimeout = DefaultStallTimeout
	}
	if c.HTTPSPort <= 0 {
		c.HTTPSPort = DefaultHTTPSPort
	}
	c.TrustedProxies = unmapped(c.TrustedProxies)
	return c
}
