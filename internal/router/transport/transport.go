// Package transport takes HTTP/1.1 requests to tasks over connections that it keeps. It is an http.RoundTripper that
// works in the goroutine of its caller: where http.Transport has two goroutines per connection and hands every request
// and answer between them, a request without a body is here one write and one read.
//
// It is no general client: no TLS, no proxies, no HTTP/2, no cookies, no redirects, no compression. It has no words for
// hosts and apps, and parses nothing: net/http writes the requests (Request.Write) and reads the answers
// (ReadResponse). Of httptrace it calls Got1xxResponse only.
//
// A request is never sent twice. One that was not sent at all is said to be so: see DialError and NotSentError.
//
// The files follow a request: transport.go, pool.go (which connection?), conn.go, exchange.go (there and back),
// upload.go (its body), answer.go (the answer's body, and whether the connection may be used again), upgraded.go.
package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Defaults of Config.
const (
	DefaultDialTimeout     = 5 * time.Second
	DefaultContinueTimeout = time.Second
	DefaultIdleTimeout     = 90 * time.Second
	DefaultMaxIdlePerHost  = 64
	DefaultMaxHeaderBytes  = 256 << 10
)

// Config is what a Transport needs. Every zero value means the default. There is no limit for the time that an answer
// takes: that is for the request's context to say.
type Config struct {
	DialTimeout     time.Duration // for making a connection
	ContinueTimeout time.Duration // after which a body is sent that "Expect: 100-continue" held back
	IdleTimeout     time.Duration // after which a connection without a request is closed
	MaxIdlePerHost  int           // connections without a request, per address
	MaxHeaderBytes  int64         // of an answer's header, and of all that comes before it
}

// Transport is safe for concurrent use. It needs no end: connections that nobody uses are closed after IdleTimeout.
type Transport struct {
	config  Config
	dialer  net.Dialer
	readers sync.Pool // of *bufio.Reader
	writers sync.Pool // of *bufio.Writer

	mu    sync.Mutex
	idle  map[string]*stack // by address
	sweep *time.Timer       // nil while nothing is idle
}

// New returns a Transport without connections.
func New(config Config) *Transport {
	config = config.withDefaults()
	return &Transport{
		config: config,
		dialer: net.Dialer{Timeout: config.DialTimeout},
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
	if c.MaxIdlePerHost <= 0 {
		c.MaxIdlePerHost = DefaultMaxIdlePerHost
	}
	if c.MaxHeaderBytes <= 0 {
		c.MaxHeaderBytes = DefaultMaxHeaderBytes
	}
	return c
}

// RoundTrip implements http.RoundTripper for URLs with scheme http and a port. A request that an idle connection did
// not take is given to another one: that is not sending it again.
//
// The body of the request is read while the answer is, as http.Transport does it too. It is closed in any case, but
// perhaps after RoundTrip has returned.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := check(req); err != nil {
		closeBody(req)
		return nil, err
	}
	for {
		c, err := t.connect(req.Context(), req.URL.Host)
		if err != nil {
			closeBody(req)
			return nil, err
		}
		res, err := t.exchange(c, req)
		var unsent *NotSentError
		switch {
		case err == nil || !errors.As(err, &unsent):
			return res, err
		case !c.reused || req.Context().Err() != nil:
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
	case req.URL == nil || req.URL.Scheme != "http" || req.URL.Host == "":
		return fmt.Errorf("send request to %q: the transport takes http://HOST:PORT only", req.URL)
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
