package router

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// streams are the connections of ServeStream that are open.
type streams struct {
	mu     sync.Mutex
	closed bool
	active sync.WaitGroup
}

// begin counts a connection in, unless the router is closed.
func (s *streams) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.active.Add(1)
	return true
}

func (s *streams) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// ServeStream takes connections and passes each on, byte by byte, to the least busy upstream that the owner has in the
// table for the key. One that no upstream takes is reset. It returns nil when l has been closed; the connections that
// are open then go on, until they end, or Drain or Close ends them.
func (r *Router) ServeStream(l net.Listener, owner, key string) error {
	at := place{kind: stream, owner: owner, name: key}
	for pause := time.Duration(0); ; {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			r.accept(conn, at)
		case errors.Is(err, net.ErrClosed):
			return nil
		case !passes(err):
			return fmt.Errorf("accept connections for %s: %w", key, err)
		default:
			pause = min(time.Second, max(5*time.Millisecond, 2*pause))
			r.log.Warn("no connection can be accepted", "key", key, "error", err, "again_in", pause)
			r.rest(pause)
		}
	}
}

// passes reports whether an error of Accept says nothing about the listener: the client has left already, or the
// machine is short of something that others will give back.
func passes(err error) bool {
	for _, passing := range []error{
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

func (r *Router) rest(pause time.Duration) {
	ctx, cancel := context.WithTimeout(r.life, pause)
	defer cancel()
	<-ctx.Done()
}

func (r *Router) accept(conn net.Conn, at place) {
	client, ok := conn.(halfConn)
	if !ok || !r.streams.begin() {
		abort(conn)
		return
	}
	go func() { // Close waits for it
		defer r.streams.active.Done()
		r.stream(client, at)
	}()
}

// stream finds an app for a connection, as a flight does for a request.
func (r *Router) stream(client halfConn, at place) {
	var refused []*upstream
	for {
		m := r.embark(at, refused)
		if m == nil {
			abort(client)
			return
		}
		app, err := r.dialer.DialContext(r.life, "tcp", m.addr)
		if err != nil {
			r.refuse(m, err)
			refused = append(refused, m.upstream)
			r.leave(m.upstream)
			continue
		}
		m.upstream.reached()
		s := &splice{client: client, app: app.(halfConn)} // TCP has halves
		m.upstream.hold(s)
		if r.life.Err() != nil {
			_ = s.Close() // Close may have come before hold
		}
		s.run()
		m.upstream.release(s)
		r.leave(m.upstream)
		return
	}
}

// embark chooses an upstream and counts a connection in. It returns nil when there is none.
func (r *Router) embark(at place, refused []*upstream) *member {
	for {
		pool := r.table.Load().find(at)
		if pool == nil {
			return nil
		}
		m := pool.choose(refused)
		if m == nil || m.upstream.enter() {
			return m
		}
	}
}

func (r *Router) refuse(m *member, err error) {
	if r.life.Err() == nil && m.upstream.refused(err) {
		r.log.Warn("upstream takes no connection", "upstream", m.upstream.id, "addr", m.addr, "error", err)
	}
}

func (r *Router) leave(u *upstream) {
	if u.leave() {
		r.forget(u)
	}
}
