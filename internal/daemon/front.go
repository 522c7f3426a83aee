package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
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
	failed  chan error // of accepting
}

func newFront(d *Daemon) *front {
	f := &front{log: d.Logger, sockets: &handover.Sockets{}, failed: make(chan error, 2)}
	if d.Taker != nil {
		f.sockets = d.Taker.Sockets
	}
	f.router = router.New(router.Config{Logger: d.Logger, TrustedProxies: d.Config.settings.proxies})
	f.gate = newGate(func() string { return f.api.bound })
	f.api = newDoor(listenFlag{"listen", d.Config.Listen}, &http.Server{
		Handler: f.gate, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(d.Logger.Handler(), slog.LevelDebug),
	})
	f.http = newDoor(listenFlag{"http-listen", d.Config.HTTPListen}, router.NewServer(f.router, d.Logger))
	return f
}

func (f *front) doors() []*door { return []*door{f.api, f.http} }

// each does the same to all doors at the same time.
func (f *front) each(do func(*door)) {
	var wg sync.WaitGroup
	for _, d := range f.doors() {
		wg.Go(func() { do(d) })
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
		d.accept(f.failed)
	}
}

// shutDown answers what is in flight, for stopLimit at most. Nobody takes this process's place.
func (f *front) shutDown() {
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	f.each(func(d *door) {
		if d.server.Shutdown(ctx) != nil {
			_ = d.server.Close() // as much as can be done
		}
	})
}

// How a front is left whose sockets another process has, too.
const (
	leaveLimit = time.Minute      // what is not over by then is cut: WebSockets, slow downloads
	leaveIdle  = 10 * time.Second // for clients that may have a request on its way
)

// leave accepts no more, tells clients to come back on other connections, and returns when nothing is in flight. Where ctx
// ends before, it hurries.
func (f *front) leave(ctx context.Context) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveLimit)
	defer cancel()
	hurry := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(stopLimit):
			cancel()
		case <-limited.Done():
		}
	})
	defer hurry()
	f.each(func(d *door) { d.stop() })
	f.sockets.CloseUnclaimed()
	f.each(func(d *door) { d.server.Leave(limited, leaveIdle) })
	f.cut()
}

// cut ends all connections.
func (f *front) cut() {
	f.each(func(d *door) {
		_ = d.server.Close() // they are to end
		d.stop()
	})
	f.router.Close()
}

func (f *front) close() error {
	var all []error
	for _, d := range f.doors() {
		all = append(all, d.close())
	}
	return errors.Join(all...)
}
