package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/certs"
	"github.com/setopsco/setops/internal/httpapi"
	"github.com/setopsco/setops/internal/store"
)

// Of the servers on one database, one keeps the tasks: it has the engine and the router. The others stand by. They answer the API
// from the database, and pass on what needs the engine; commits that they take wait in the queue for the keeper. When that one is
// gone, one of them takes its place. On a single host the lock of the data directory decides, as that is where the tasks are:
//
//	start ── the data directory is free ────────────────────────────────► keeper
//	  └───── another server has it ──► stands by ── keeper gone, lock got ──┘
//
// Servers of one cluster have a directory each, and the database decides (cluster_standby.go).

// openStandby opens what a server needs that stands by: no engine, no routes, no certificates.
func (d *Daemon) openStandby(ctx context.Context) (err error) {
	c := d.core
	if c.dir, err = shareDataDir(d.Config.DataDir); err != nil {
		return err
	}
	c.onClose(c.dir.Close)
	if err := d.front.api.listen(d.front.sockets); err != nil {
		return err
	}
	return c.each(ctx, c.joinStore, c.openAudit, c.proveSharing, c.openRegistry, c.openDomains, c.openCommits)
}

// keeperComesUp is how long the first server of an installation is waited for, which makes all that there is.
const keeperComesUp = 30 * time.Second

// joinStore opens the database that another server has made, or is making.
func (c *core) joinStore(ctx context.Context) (err error) {
	if c.store, err = store.Connect(ctx, c.Config.Database); err != nil {
		return err
	}
	c.onClose(c.store.Close)
	for deadline := time.Now().Add(keeperComesUp); ; {
		_, there, err := c.store.Keeper(ctx)
		if err != nil {
			return err
		}
		if there {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server that uses the data directory %s does not use this database, or does not come up; look at its log", c.dir.path)
		}
		select {
		case <-time.After(lookForKeeper):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := errors.Join(c.openKey(true), c.proveKey(ctx)); err != nil {
		return err
	}
	if err := c.openInstance(ctx); err != nil {
		return err
	}
	_, err = c.store.AddOrganization(ctx, newID(), c.Config.Organization, time.Now())
	return err
}

// proveSharing refuses a keeper whose tasks this server could not take over.
func (c *core) proveSharing(ctx context.Context) error {
	has, ok, err := c.store.Keeper(ctx)
	if err != nil || !ok {
		return err
	}
	own, err := c.keeper(time.Now())
	if err == nil && (has.Instance != own.Instance || !c.sharesCluster() && has.Machine != own.Machine) {
		err = fmt.Errorf("the data directory %s is used by a server of another database than %s; give this one its own with --data-dir", c.dir.path, has.Address)
	}
	return err
}

// lookForKeeper is how often a server that stands by looks whether it is needed.
const lookForKeeper = 500 * time.Millisecond

// standBy answers the API until this server keeps the tasks, which it tells by true, or ctx ends.
func (d *Daemon) standBy(ctx context.Context) (promoted bool, err error) {
	c := d.core
	d.front.api.accept(d.front.failed)
	c.term = d.front.gate.open(newForwarder(c))
	c.ready.Store(true)
	d.notify("READY=1")
	fmt.Fprintf(d.Out, "setopsd ready api=%s standby\n", d.front.apiURL(""))
	d.settle()
	ticker := time.NewTicker(lookForKeeper)
	defer ticker.Stop()
	for {
		select {
		case err := <-d.front.failed:
			return false, err
		case <-ctx.Done():
			return false, d.stop()
		case <-d.Hangup:
			d.Logger.Warn("this server stands by and has nothing to hand over; stop it and start it anew")
		case <-ticker.C:
			if dir, free := c.succeed(ctx); free {
				return true, d.promote(ctx, dir)
			}
		}
	}
}

// succeed takes the data directory where the keeper is gone: its time is over, and so is the process that had the directory.
func (c *core) succeed(ctx context.Context) (*dataDir, bool) {
	if c.ownsDir {
		return c.succeedOnCluster(ctx)
	}
	has, ok, err := c.store.Keeper(ctx)
	if err != nil || ok && has.Until.After(time.Now()) {
		return nil, false
	}
	dir, err := openDataDir(c.dir.path)
	if err != nil && !errors.Is(err, errInUse) {
		c.Logger.Error("take over the data directory", "error", err)
	}
	return dir, err == nil
}

// promote makes this server the keeper, all but what Run does at every start. The API is answered as before meanwhile.
func (d *Daemon) promote(ctx context.Context, dir *dataDir) error {
	d.Logger.Info("the server that kept the tasks is gone; this one takes its place")
	stoodBy := d.core
	c := newCore(d)
	c.dir, c.stoodBy = dir, stoodBy
	c.onClose(dir.Close)
	d.core = c
	if err := c.each(ctx, d.listenForApps, c.open); err != nil {
		return errors.Join(err, stoodBy.stop())
	}
	return nil
}

// listenForApps opens the doors that a server that stands by has shut.
func (d *Daemon) listenForApps(ctx context.Context) error {
	for _, door := range d.front.doors() {
		if door == d.front.api {
			continue
		}
		if err := d.listenSoon(ctx, door); err != nil {
			return err
		}
	}
	return nil
}

// portsFree is how long the ports of a process that is gone are waited for.
const portsFree = 10 * time.Second

func (d *Daemon) listenSoon(ctx context.Context, door *door) error {
	deadline := time.Now().Add(portsFree)
	for {
		err := door.listen(d.front.sockets)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-time.After(lookForKeeper):
		case <-ctx.Done():
			return err
		}
	}
}

// forwarded marks a request that a server has passed on, so that it is passed on once at most.
const forwarded = "X-Setops-Forwarded"

// forwarder answers requests of a server that stands by, and passes on to the keeper those that need the engine.
type forwarder struct {
	core  *core
	own   http.Handler
	relay *httputil.ReverseProxy

	mu     sync.Mutex
	keeper *url.URL
	looked time.Time
}

func newForwarder(c *core) *forwarder {
	f := &forwarder{core: c, own: c.handler()}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// It is another server, whose address the database has: whose name is in the certificate proves nothing more.
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	transport.Proxy, transport.DisableCompression = nil, true
	f.relay = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			keeper := f.find(r.In.Context())
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = keeper.Scheme, keeper.Host, r.In.Host
			r.Out.Header.Set(forwarded, "1")
		},
		Transport: transport, FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, _ error) { f.refuse(w, r) },
	}
	c.onClose(func() error { transport.CloseIdleConnections(); return nil })
	return f
}

func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !needsEngine(r.Method, r.URL.Path) && !f.core.pushes(r) && !certs.IsChallenge(r): // who orders certificates has the answers
		f.own.ServeHTTP(w, r)
	case r.Header.Get(forwarded) != "" || f.find(r.Context()).Host == "":
		f.refuse(w, r)
	default:
		f.relay.ServeHTTP(w, r)
	}
}

// pushes reports a request that writes into a bucket. Which images are about to be removed is in the memory of the keeper, and unlike
// a disk a bucket cannot take a thing away and look at its time in one step.
func (c *core) pushes(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	return c.Config.Bucket.Name != "" && strings.HasPrefix(r.URL.Path, "/v2/") && !reads
}

func (f *forwarder) refuse(w http.ResponseWriter, r *http.Request) {
	httpapi.Unavailable(w, r, "the server that keeps the tasks is gone, and another one is taking its place; try again in a moment")
}

// find gives the address of the keeper, which is asked for once a second at most; empty: nobody knows it.
func (f *forwarder) find(ctx context.Context) *url.URL {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keeper != nil && time.Since(f.looked) < time.Second {
		return f.keeper
	}
	has, _, err := f.core.store.Keeper(ctx)
	address, parsed := url.Parse(has.Address)
	if err != nil || parsed != nil {
		return &url.URL{}
	}
	f.keeper, f.looked = address, time.Now()
	return address
}

// needsEngine reports a request that only who has the engine can answer: what runs, what it writes, and what ends it.
func needsEngine(method, path string) bool {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	const ofProject, ofStage = 5, 7 // v1 organizations O projects P stages S
	if len(parts) < ofProject || parts[0] != "v1" || parts[1] != "organizations" {
		return false
	}
	if len(parts) <= ofStage {
		return method == http.MethodDelete
	}
	switch rest := parts[ofStage:]; rest[0] {
	case "apps":
		return len(rest) > 1 && rest[len(rest)-1] != "releases"
	case "changeset":
		return len(rest) == 2 && (rest[1] == "diff" || rest[1] == "plan")
	case "definition":
		return method == http.MethodPost
	case "commits":
		return len(rest) == 3 && (rest[2] == "details" || rest[2] == "revert")
	}
	return false
}
