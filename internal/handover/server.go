package handover

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server is an http.Server that can be left: its clients are told to come back on other connections, and none is cut while
// a request may be on its way. http.Server.Shutdown closes idle connections at once, and with them requests that were sent
// a moment ago.
type Server struct {
	http     *http.Server
	http2    *apart
	goodByes sync.WaitGroup // that are being said
	next     http.Handler
	leaving  atomic.Bool
	began    time.Time // of leaving
	inFlight atomic.Int64
	aside    atomic.Int64  // of those in flight
	conns    sync.Map      // net.Conn → *client
	changed  chan struct{} // has room for one
}

// client is a connection that is not hijacked.
type client struct {
	idle  atomic.Bool
	since atomic.Int64 // Unix nanoseconds at which it became idle
	aside atomic.Int64 // requests
}

// NewServer takes the server over: its Handler and ConnState are its own from now on.
func NewServer(s *http.Server) *Server {
	own := &Server{http: s, next: s.Handler, changed: make(chan struct{}, 1)}
	s.Handler, s.ConnState = own, own.track
	own.takeHTTP2()
	return own
}

// Serve accepts until the listener is closed, which may be before the server is. It can be called again, with another one.
func (s *Server) Serve(l net.Listener) error { return s.http.Serve(l) }

// ServeHTTP is what clients are answered with.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.inFlight.Add(1)
	defer s.done()
	// A connection that changes its protocol has no next request; one of HTTP/2 is told another way.
	if s.leaving.Load() && r.ProtoMajor < 2 && r.Header.Get("Upgrade") == "" {
		w.Header().Set("Connection", "close")
	}
	s.next.ServeHTTP(w, r)
}

func (s *Server) done() {
	if s.inFlight.Add(-1) == 0 {
		s.announce()
	}
}

// announce wakes whoever leaves, if anybody does.
func (s *Server) announce() {
	if !s.leaving.Load() {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *Server) track(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c := &client{}
		c.rest()
		s.conns.Store(conn, c)
	case http.StateActive, http.StateIdle:
		if c, ok := s.conns.Load(conn); ok {
			if state == http.StateIdle {
				c.(*client).rest()
			} else {
				c.(*client).idle.Store(false)
			}
		}
	case http.StateHijacked, http.StateClosed:
		s.conns.Delete(conn)
	}
	s.announce()
}

func (c *client) rest() {
	c.since.Store(time.Now().UnixNano())
	c.idle.Store(true)
}

// Shutdown answers what is in flight and closes idle connections at once: nobody takes this process's place, so that there
// is nowhere else to go.
func (s *Server) Shutdown(ctx context.Context) error {
	var two error
	var both sync.WaitGroup
	both.Go(func() { two = s.http2.Shutdown(ctx) })
	one := s.http.Shutdown(ctx)
	both.Wait()
	return errors.Join(one, two)
}

// Close cuts what is left, but for connections that have changed their protocol.
func (s *Server) Close() error {
	err := errors.Join(s.http.Close(), s.http2.Close(), s.http2.Server.Close())
	s.http2.serving.Wait()
	s.goodByes.Wait()
	return err
}
