package router

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// halfConn is a connection whose sides can be closed one by one.
type halfConn interface {
	net.Conn
	CloseWrite() error
}

// splice is a connection of a client and one of an app that are as one. Each side's end reaches the other as what it
// was: a FIN closes one direction, while the other goes on for as long as it likes; a reset resets.
type splice struct {
	client, app halfConn
	broken      atomic.Bool // one side was reset, or somebody has had enough
	closing     sync.Once
}

// run returns when both directions have ended.
func (s *splice) run() {
	var up sync.WaitGroup
	up.Go(func() { s.pump(s.app, s.client) })
	s.pump(s.client, s.app)
	up.Wait()
	s.end()
}

// pump passes on one direction. Between two TCP connections io.Copy leaves the work to the kernel, where it can.
func (s *splice) pump(to, from halfConn) {
	_, err := io.Copy(to, from)
	if err == nil {
		err = to.CloseWrite()
	}
	if err == nil {
		return
	}
	// When it is the receiver that is gone, what it said before may still be under way in the other direction, which
	// finds the end by itself.
	if s.broken.Swap(true) || gone(from) {
		s.end()
	}
}

// Close cuts both sides. run returns then.
func (s *splice) Close() error {
	s.broken.Store(true)
	s.end()
	return nil
}

func (s *splice) end() {
	s.closing.Do(func() {
		if s.broken.Load() {
			abort(s.client)
			abort(s.app)
			return
		}
		// Both have had their FIN: there is nothing left that could go wrong.
		_ = s.client.Close()
		_ = s.app.Close()
	})
}

// abort closes a connection with a reset where it can, so that nobody takes the end for a regular one.
func abort(conn net.Conn) {
	if tcp, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = tcp.SetLinger(0) // of a closed connection
	}
	_ = conn.Close()
}
