package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/setopsco/setops/internal/handover"
	"github.com/setopsco/setops/internal/router"
)

// front is what clients are connected to. It outlives the core: while that is being handed over, the router goes on
// accepting and serving with the table that it has, and new connections to the API wait.
type front struct {
	log     *slog.Logger
	sockets *handover.Sockets
	router  *router.Router
	gate    *gate
	api     *door
	http    *door
	https   *door // nil: no TLS
	insides insides
	failed  chan error // why the server ends: of accepting, or another one has its place

	apiHost   string                    // where the API answers by TLS
	certified atomic.Pointer[certified] // nil: no TLS, or no certificates yet
}

func newFront(d *Daemon) *front {
	f := &front{log: d.Logger, sockets: &handover.Sockets{}, failed: make(chan error, 4), apiHost: d.Config.apiHost()}
	if d.Taker != nil {
		f.sockets = d.Taker.Sockets
	}
	config := router.Config{Logger: d.Logger, TrustedProxies: d.Config.settings.proxies, Secure: f.hasCertificate}
	if d.Config.HTTPSListen != "" {
		f.https = newDoor(listenFlag{"https-listen", d.Config.HTTPSListen}, router.NewServer(http.HandlerFunc(f.serveHTTPS), d.Logger))
		f.https.tls = f.tlsConfig()
		_, port, _ := net.SplitHostPort(d.Config.HTTPSListen) // it was checked
		config.HTTPSPort, _ = strconv.Atoi(port)
	}
	f.router = router.New(config)
	f.gate = newGate(d.Config.listensByTLS(), func() string { return f.api.bound })
	f.api = newDoor(listenFlag{"listen", d.Config.Listen}, &http.Server{
		Handler: http.HandlerFunc(f.serveAPI), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(d.Logger.Handler(), slog.LevelDebug),
	})
	if d.Config.listensByTLS() {
		f.api.tls = f.tlsConfig()
	}
	f.http = newDoor(listenFlag{"http-listen", d.Config.HTTPListen}, router.NewServer(http.HandlerFunc(f.serveHTTP), d.Logger))
	return f
}

func (f *front) doors() []*door {
	if f.https == nil {
		return []*door{f.api, f.http}
	}
	return []*door{f.api, f.http, f.https}
}

// each does the same to all of them at the same time.
func each[T any](all []T, do func(T)) {
	var wg sync.WaitGroup
	for _, one := range all {
		wg.Go(func() { do(one) })
	}
	wg.Wait()
}

func (f *front) listen(context.Context) error {
	for _, d := range f.doors() {
		if err := d.listen(f.sockets); err != nil {
			return err
		}
	}
	return nil
}

func (f *front) accept() {
	for _, d := range f.doors() {
		if !d.accepts {
			d.accept(f.failed)
		}
	}
}

// fail ends the server. The first reason counts.
func (f *front) fail(err error) {
	select {
	case f.failed <- err:
	default:
	}
}

// shutDown answers what is in flight, for stopLimit at most. Nobody takes this process's place.
func (f *front) shutDown() {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	each(f.servers(), func(s *handover.Server) {
		if s.Shutdown(ctx) != nil {
			_ = s.Close() // as much as can be done
		}
	})
}

// How a front is left whose sockets another process has, too.
const (
	leaveLimit = time.Minute      // what is not over by then is cut: WebSockets, slow downloads
	leaveIdle  = 10 * time.Second // for clients that may have a request on its way
	relayLimit = 10 * time.Minute // for requests to the API that are passed on: nobody waits for their end
)

// leave accepts no more, tells clients to come back on other connections, calls routed when nothing is sent to a task any
// more, and returns when nothing is in flight. Where ctx ends before, it hurries.
func (f *front) leave(ctx context.Context, routed func()) {
	relaying, hurry := context.WithTimeout(context.WithoutCancel(ctx), relayLimit)
	defer hurry()
	routing, cancel := context.WithTimeout(relaying, leaveLimit)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-time.After(stopLimit):
			hurry()
		case <-relaying.Done():
		}
	})()
	each(f.doors(), (*door).stop)
	f.sockets.CloseUnclaimed()
	var api sync.WaitGroup
	api.Go(func() { f.api.server.Leave(relaying, leaveIdle) })
	each(f.routingServers(), func(s *handover.Server) { s.Leave(routing, leaveIdle) })
	f.router.AwaitStreams(routing)
	f.router.Close()
	// Requests to the API may wait for what the next process does only then.
	routed()
	each(f.routingServers(), func(s *handover.Server) { s.Finish(relaying, leaveIdle) })
	api.Wait()
	f.cut()
}

// cut ends all connections.
func (f *front) cut() {
	each(f.servers(), func(s *handover.Server) { _ = s.Close() }) // they are to end
	each(f.doors(), (*door).stop)
	f.router.Close()
}

func (f *front) close() error {
	var all []error
	for _, d := range f.doors() {
		all = append(all, d.close())
	}
	return errors.Join(all...)
}
