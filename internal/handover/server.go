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

// Aside lets Leave return while the request is in flight, until the function that it returns is called: the request may
// wait for what comes after Leave. Finish waits for it.
func (s *Server) Aside(r *http.Request) (over func()) {
	var own *client
	s.conns.Range(func(key, value any) bool {
		if key.(net.Conn).RemoteAddr().String() == r.RemoteAddr {
			own = value.(*client)
		}
		return own == nil
	})
	if own == nil {
		return func() {}
	}
	own.aside.Add(1)
	s.aside.Add(1)
	s.announce()
	return func() {
		own.aside.Add(-1)
		s.aside.Add(-1)
		s.announce()
	}
}

// Leave tells clients to come back on other connections, and returns when none is left, but for those whose requests are
// aside. A connection of HTTP/1 is closed with its next answer, or when it has been idle for so long, counted from now on;
// one of HTTP/2 when its requests are answered; when ctx ends, all of them are. The listener must be closed before: whoever
// comes then is not counted.
func (s *Server) Leave(ctx context.Context, idle time.Duration) {
	s.began = time.Now()
	s.leaving.Store(true)
	s.sayGoodBye()
	s.await(ctx, idle, false)
}

// sayGoodBye tells the clients of HTTP/2. One that reads nothing holds nobody up but its own goroutine.
func (s *Server) sayGoodBye() {
	s.conns.Range(func(key, _ any) bool {
		if p, ok := key.(*parting); ok {
			s.goodByes.Go(p.sayGoodBye)
		}
		return true
	})
}

// toldIdle is how long a client that was told needs to hear it, and what it has sent before to arrive.
const toldIdle = time.Second

// Finish goes on where Leave has returned, and returns when no connection is left at all.
func (s *Server) Finish(ctx context.Context, idle time.Duration) { s.await(ctx, idle, true) }

func (s *Server) await(ctx context.Context, idle time.Duration, all bool) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-s.changed:
		case <-ctx.Done():
			s.cut(all)
			return
		}
		left, next := s.sweep(idle, all)
		running := s.inFlight.Load()
		if !all {
			running -= s.aside.Load()
		}
		if left == 0 && running == 0 {
			return
		}
		timer.Reset(next)
	}
}

// sweep closes what has been idle for long enough, and says how many connections are left and when to look again.
func (s *Server) sweep(idle time.Duration, all bool) (left int, next time.Duration) {
	next = idle
	now := time.Now()
	s.conns.Range(func(key, value any) bool {
		c := value.(*client)
		if !c.idle.Load() {
			if all || c.aside.Load() == 0 {
				left++
			}
			return true
		}
		since := time.Unix(0, c.since.Load())
		if since.Before(s.began) {
			since = s.began
		}
		limit := idle
		if _, told := key.(*parting); told {
			limit = min(idle, toldIdle)
		}
		if rest := limit - now.Sub(since); rest > 0 {
			left++
			next = min(next, rest)
			return true
		}
		_ = key.(net.Conn).Close() // its end is what is wanted
		return true
	})
	return left, next
}

func (s *Server) cut(all bool) {
	s.conns.Range(func(key, value any) bool {
		if all || value.(*client).aside.Load() == 0 {
			_ = key.(net.Conn).Close() // its end is what is wanted
		}
		return true
	})
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
