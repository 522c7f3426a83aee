package e2e

import (
	"io"
	"net"
	"sync"
)

// proxy stands between the program and the server and can cut what goes through it.
type proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	cut   bool
	most  int64 // bytes that a connection brings from the server before it is cut; 0: all
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

func newProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.join(in) })
	}
}

func (p *proxy) join(in net.Conn) {
	defer in.Close() //nolint:errcheck // cut connections are the point
	if !p.keep(in) {
		return
	}
	defer p.forget(in)
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer out.Close() //nolint:errcheck // cut connections are the point
	var both sync.WaitGroup
	both.Go(func() { io.Copy(out, in); out.Close() })                        //nolint:errcheck // cut connections are the point
	both.Go(func() { io.Copy(in, p.limited(out)); in.Close(); out.Close() }) //nolint:errcheck // cut connections are the point
	both.Wait()
}

// limited is what comes from the server until the connection is cut.
func (p *proxy) limited(out net.Conn) io.Reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most == 0 {
		return out
	}
	return io.LimitReader(out, p.most)
}

// setMost has every new connection cut after so many bytes.
func (p *proxy) setMost(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = bytes
}

func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut {
		return false
	}
	p.conns[c] = true
	return true
}

func (p *proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// setCut cuts every connection and lets no new one through, or mends.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if !cut {
		return
	}
	for c := range p.conns {
		c.Close() //nolint:errcheck // it is to break
	}
}

func (p *proxy) close() {
	p.listener.Close() //nolint:errcheck // nobody else does
	p.setCut(true)
	p.wg.Wait()
}
