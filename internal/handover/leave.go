package handover

import (
	"context"
	"net"
	"net/http"
	"time"
)

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
