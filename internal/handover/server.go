package handover

import (
	"context"
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
	http2    *http.Server // has only connections of HTTP/2, which say good-bye by themselves: see http2.go
	next     http.Handler
	leaving  atomic.Bool
	inFlight atomic.Int64
	conns    sync.Map      // net.Conn → *client
	changed  chan struct{} // has room for one
}

// client is a connection that is not hijacked.
type client struct {
	idle  atomic.Bool
	since atomic.Int64 // Unix nanoseconds at which it became idle, once the server is being left
}

// NewServer takes the server over: its Handler and ConnState are its own from now on.
func NewServer(s *http.Server) *Server {
	own := &Server{http: s, next: s.Handler, changed: make(chan struct{}, 1)}
	s.Handler, s.ConnState = own, own.track
	own.http2 = apart(s)
	return own
}

// Serve accepts until the listener is closed, which may be before the server is. It can be called again, with another one.
func (s *Server) Serve(l net.Listener) error { return s.http.Serve(l) }

// ServeHTTP is what clients are answered with.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.inFlight.Add(1)
	defer s.done()
	// A connection that changes its protocol has no next request.
	if s.leaving.Load() && r.Header.Get("Upgrade") == "" {
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

// Leave tells clients to come back on other connections, and returns when none is left, or when ctx ends. A connection is
// closed with its next answer, or when it has been idle for so long, counted from now on. The listener must be closed
// before: whoever comes then is not counted.
func (s *Server) Leave(ctx context.Context, idle time.Duration) {
	began := time.Now()
	s.leaving.Store(true)
	_ = s.http2.Shutdown(ctx) // it only tells: there is nothing that it could wait for
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.changed:
		case <-ctx.Done():
			return
		}
		left, next := s.sweep(began, idle)
		if left == 0 && s.inFlight.Load() == 0 {
			return
		}
		timer.Reset(next)
	}
}

// sweep closes what has been idle for long enough, and says how many connections are left and when to look again.
func (s *Server) sweep(began time.Time, idle time.Duration) (left int, next time.Duration) {
	next = idle
	now := time.Now()
	s.conns.Range(func(key, value any) bool {
		c := value.(*client)
		if !c.idle.Load() {
			left++
			return true
		}
		since := time.Unix(0, c.since.Load())
		if since.Before(began) {
			since = began
		}
		if rest := idle - now.Sub(since); rest > 0 {
			left++
			next = min(next, rest)
			return true
		}
		_ = key.(net.Conn).Close() // its end is what is wanted
		return true
	})
	return left, next
}

// Shutdown is http.Server's: nobody takes this one's place, so that idle clients need not be told.
func (s *Server) Shutdown(ctx context.Context) error { return s.http.Shutdown(ctx) }

// Close cuts what is left, but for connections that have changed their protocol.
func (s *Server) Close() error { return s.http.Close() }
