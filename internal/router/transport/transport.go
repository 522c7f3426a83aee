// Package transport takes HTTP/1.1 requests to tasks over connections that it keeps. It is an http.RoundTripper, and
// Send says more than one can, that works in the goroutine of its caller: where http.Transport has two goroutines per connection and hands every request
// and answer between them, a request without a body is here one write and one read.
//
// It is no general client: no TLS, no proxies, no HTTP/2, no cookies, no redirects, no compression. It has no words for
// hosts and apps, and parses nothing: net/http writes the requests (Request.Write) and reads the answers
// (ReadResponse).
//
// A request is never sent twice. One that was not sent at all is said to be so: see DialError and NotSentError.
//
// The files follow a request: transport.go, pool.go (which connection?), conn.go, exchange.go (there and back),
// upload.go (its body), answer.go (the answer's body, and whether the connection may be used again), upgraded.go. Beside
// it, watch.go ends requests that nobody waits for any more.
package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"time"
)

// Defaults of Config.
const (
	DefaultDialTimeout     = 5 * time.Second
	DefaultContinueTimeout = time.Second
	DefaultIdleTimeout     = 90 * time.Second
	DefaultSilence         = 5 * time.Minute
	DefaultMaxIdlePerHost  = 64
	DefaultMaxHeaderBytes  = 256 << 10
)

// Config is what a Transport needs. Every zero value means the default. There is no limit for the time that an answer
// takes: that is for the request's context to say.
type Config struct {
	DialTimeout     time.Duration // for making a connection
	ContinueTimeout time.Duration // after which a body is sent that "Expect: 100-continue" held back
	IdleTimeout     time.Duration // after which a connection without a request is closed
	Silence         time.Duration // after which a connection is given up whose other side takes nothing of what is sent, or has no power; on Linux
	MaxIdlePerHost  int           // connections without a request, per address
	MaxHeaderBytes  int64         // of an answer's header, and of all that comes before it
}

// Transport is safe for concurrent use. It needs no end: connections that nobody uses are closed after IdleTimeout.
type Transport struct {
	config  Config
	dialer  net.Dialer
	readers sync.Pool // of *bufio.Reader
	writers sync.Pool // of *bufio.Writer

	watch watch

	mu    sync.Mutex
	idle  map[string]*stack // by address
	sweep *time.Timer       // nil while nothing is idle
}

// New returns a Transport without connections.
func New(config Config) *Transport {
	config = config.withDefaults()
	return &Transport{
		config: config,
		dialer: net.Dialer{Timeout: config.DialTimeout, Control: endSilence(config.Silence)},
		idle:   map[string]*stack{},
	}
}

func (c Config) withDefaults() Config {
	if c.DialTimeout <= 0 {
		c.DialTimeout = DefaultDialTimeout
	}
	if c.ContinueTimeout <= 0 {
		c.ContinueTimeout = DefaultContinueTimeout
	}
	if c.IdleTimeout <= 0 {
		c.IdleTimeout = DefaultIdleTimeout
	}
	if c.Silence <= 0 {
		c.Silence = DefaultSilence
	}
	if c.MaxIdlePerHost <= 0 {
		c.MaxIdlePerHost = DefaultMaxIdlePerHost
	}
	if c.MaxHeaderBytes <= 0 {
		c.MaxHeaderBytes = DefaultMaxHeaderBytes
	}
	return c
}

// RoundTrip implements http.RoundTripper for URLs with scheme http and a port, by Send. Of httptrace it calls
// Got1xxResponse only.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL == nil || req.URL.Scheme != "http" || req.URL.Host == "" {
		closeBody(req)
		return nil, fmt.Errorf("send request to %q: the transport takes http://HOST:PORT only", req.URL)
	}
	var preliminary func(code int, header http.Header) error
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.Got1xxResponse != nil {
		preliminary = func(code int, header http.Header) error {
			return trace.Got1xxResponse(code, textproto.MIMEHeader(header))
		}
	}
	return t.Send(req.Context(), req.URL.Host, req, preliminary)
}

// Send sends a request to an address, HOST:PORT, whatever the host is that the request names. A request that an idle
// connection did not take is given to another one: that is not sending it again. It is given up when ctx ends, as is the
// reading of the answer's body; the request's own context has no meaning. preliminary, unless nil, is called for each 1xx
// answer that comes before the one that is returned; its error is an end.
//
// The body of the request is read while the answer is, as http.Transport does it too. It is closed in any case, but
// perhaps after Send has returned. Nothing else of the request is looked at after the answer's body has ended.
func (t *Transport) Send(
	ctx context.Context, addr string, req *http.Request, preliminary func(code int, header http.Header) error,
) (*http.Response, error) {
	if err := check(req); err != nil {
		closeBody(req)
		return nil, err
	}
	for {
		c, err := t.connect(ctx, addr)
		if err != nil {
			closeBody(req)
			return nil, err
		}
		x := &exchange{transport: t, conn: c, ctx: ctx, req: req, preliminary: preliminary}
		res, err := x.run()
		if err == nil {
			return res, nil
		}
		var unsent *NotSentError
		switch {
		case !errors.As(err, &unsent):
			return nil, err
		case !c.reused || ctx.Err() != nil:
			closeBody(req)
			return nil, err
		}
	}
}

// connect gives an idle connection that is sound, or else a new one.
func (t *Transport) connect(ctx context.Context, addr string) (*conn, error) {
	if ctx.Err() != nil {
		return nil, &DialError{Addr: addr, Err: context.Cause(ctx)}
	}
	if c := t.take(addr); c != nil {
		return c, nil
	}
	plain, err := t.dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, &DialError{Addr: addr, Err: err}
	}
	c, err := newConn(addr, plain.(*net.TCPConn)) // what a Dialer makes of "tcp"
	if err != nil {
		_ = plain.Close()
		return nil, &DialError{Addr: addr, Err: err}
	}
	return c, nil
}

// check refuses what Request.Write would make something else of than one request.
func check(req *http.Request) error {
	switch {
	case req.Method == http.MethodConnect:
		return errors.New("send request with method CONNECT: the transport makes no tunnels")
	case strings.ContainsFunc(req.Method, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return fmt.Errorf("send request with method %q: it is no token", req.Method)
	}
	return nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // what was never sent has no end that somebody could miss
	}
}
