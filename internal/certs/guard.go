package certs

import (
	"fmt"
	"net"
	"sync"
)

// guard listens on a loopback port of its own and answers nothing. Before each challenge certmagic looks whether somebody
// listens at its address, and if nobody does it listens there itself. Given the guard's address it never takes
// one of the server's ports, which the server may be about to open, or to inherit. The challenges come to the server.
type guard struct {
	host     string
	port     int
	listener net.Listener
	loop     sync.WaitGroup
}

func newGuard() (*guard, error) {
	const host = "127.0.0.1"
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	g := &guard{host: host, port: l.Addr().(*net.TCPAddr).Port, listener: l}
	g.loop.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	})
	return g, nil
}

func (g *guard) close() error {
	if err := g.listener.Close(); err != nil {
		return fmt.Errorf("close guard of challenges: %w", err)
	}
	g.loop.Wait()
	return nil
}
