package daemon

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// gate leads requests of the API to the core. While the core is closed here, they are passed on to the API's own socket:
// there they wait until a process accepts, this one or the next. So clients that keep their connection to this process
// lose nothing.
type gate struct {
	relay http.Handler

	mu  sync.Mutex
	now *term // nil while it is closed
}

// term is the time in which requests are led to one core.
type term struct {
	core     http.Handler
	ctx      context.Context
	cancel   context.CancelFunc // of all its requests
	inFlight int                // guarded by the gate's lock, as is over
	over     bool
	idle     chan struct{} // closed when it is over and the last request has left
}

// newGate makes a closed gate. address is that of the API's socket, which speaks TLS or not.
func newGate(encrypted bool, address func() string) *gate {
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	scheme := "http"
	if encrypted { // it is this machine's own socket: whose name is in the certificate proves nothing more
		scheme, transport.TLSClientConfig = "https", &tls.Config{InsecureSkipVerify: true}
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = scheme, address(), r.In.Host
			for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				if values, ok := r.In.Header[name]; ok { // Rewrite takes them away
					r.Out.Header[name] = values
				}
			}
		},
		Transport:     transport,
		FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			http.Error(w, "the server is being replaced; try again in a moment", http.StatusServiceUnavailable)
		},
	}
	return &gate{relay: proxy}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := g.enter()
	if t == nil {
		g.relay.ServeHTTP(w, withBody(r))
		return
	}
	defer g.leave(t)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(t.ctx, cancel)()
	t.core.ServeHTTP(w, r.WithContext(ctx))
}

// mostHeld is more than any request of the API has, but for layers of images.
const mostHeld = 1 << 20

// withBody gives the request with a body that is here already, up to mostHeld bytes. Else a server that answers before it
// has read the body, as to a request that it refuses, would close the connection on which it is still being sent, and then
// neither we nor the client would get to read that answer.
func withBody(r *http.Request) *http.Request {
	first, err := io.ReadAll(io.LimitReader(r.Body, mostHeld))
	held := *r
	if err != nil || len(first) == mostHeld {
		held.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(first), r.Body), r.Body}
		return &held
	}
	held.Body, held.ContentLength, held.TransferEncoding = io.NopCloser(bytes.NewReader(first)), int64(len(first)), nil
	return &held
}

// open leads requests to a core from now on, also where another one had them before: that one's are not interrupted.
func (g *gate) open(core http.Handler) *term {
	t := &term{core: core, idle: make(chan struct{})}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	g.mu.Lock()
	defer g.mu.Unlock()
	g.end()
	g.now = t
	return t
}

// end is for those who hold g.mu.
func (g *gate) end() {
	t := g.now
	g.now = nil
	if t == nil {
		return
	}
	t.over = true
	if t.inFlight == 0 {
		close(t.idle)
	}
}

// close leads nobody to the core of a term any more, and returns when nobody is there, or after limit: then the contexts of
// those who are left have ended.
func (g *gate) close(t *term, limit time.Duration) {
	if t == nil {
		return
	}
	g.mu.Lock()
	if g.now == t {
		g.end()
	}
	g.mu.Unlock()
	defer t.cancel()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-t.idle:
	case <-timer.C:
	}
}

func (g *gate) enter() *term {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.now != nil {
		g.now.inFlight++
	}
	return g.now
}

func (g *gate) leave(t *term) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.inFlight--; t.inFlight == 0 && t.over {
		close(t.idle)
	}
}
