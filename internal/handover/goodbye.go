package handover

import (
	"crypto/tls"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
)

// goAway is the frame that asks a client of HTTP/2 to send no more requests on its connection, and refuses none: RFC 9113,
// 6.8, "a server that is attempting to gracefully shut down". Its last stream is the highest that there can be, its error 0.
var goAway = []byte{0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0}

// frameHead is the length of what stands before each frame; its first 3 bytes are the length of what follows.
const frameHead = 9

// parting is a connection of HTTP/2 that can say good-bye on its own, between two frames that its server sends.
type parting struct {
	net.Conn // without what else a *tls.Conn has: http.Server would take it for one that speaks HTTP/1
	tls      *tls.ConnectionState
	closed   chan struct{} // by Close
	closing  sync.Once
	wanted   atomic.Bool

	mu   sync.Mutex // held while bytes are sent
	head []byte     // of the frame that is being sent, as far as it was sent
	rest int        // bytes of that frame that were not
	sent bool       // a frame: the first one must be the server's
	said bool
}

// Write sends what the server has to say, and the good-bye where somebody has asked for it meanwhile.
func (p *parting) Write(b []byte) (int, error) {
	p.mu.Lock()
	n, err := p.Conn.Write(b)
	p.follow(b[:n])
	p.mu.Unlock()
	if err == nil && p.wanted.Load() {
		p.try()
	}
	return n, err
}

// follow keeps track of where frames end.
func (p *parting) follow(b []byte) {
	for len(b) > 0 {
		if p.rest > 0 {
			n := min(p.rest, len(b))
			p.rest -= n
			b = b[n:]
			continue
		}
		n := min(frameHead-len(p.head), len(b))
		p.head = append(p.head, b[:n]...)
		b = b[n:]
		if len(p.head) == frameHead {
			p.rest = int(binary.BigEndian.Uint32(p.head) >> 8)
			p.head, p.sent = p.head[:0], true
		}
	}
}

// sayGoodBye asks the client to send no more requests here, as soon as the frame that is being sent has ended.
func (p *parting) sayGoodBye() {
	p.wanted.Store(true)
	p.try()
}

// try leaves it to Write where that is sending: it looks behind its end.
func (p *parting) try() {
	if !p.mu.TryLock() {
		return
	}
	defer p.mu.Unlock()
	if p.said || !p.sent || p.rest > 0 || len(p.head) > 0 {
		return
	}
	p.said = true
	_, _ = p.Conn.Write(goAway) // a connection that is broken needs none
}

// Close ends the connection.
func (p *parting) Close() error {
	p.closing.Do(func() { close(p.closed) })
	return p.Conn.Close()
}
