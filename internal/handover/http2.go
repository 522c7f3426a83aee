package handover

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// apart serves connections of HTTP/2 by a server of their own, on connections that can say good-bye (goodbye.go). What
// http.Server does by itself is too early a good-bye: it refuses requests that were on their way, and a client cannot send
// those again whose body it has read already.
type apart struct {
	*http.Server
	conns   chan net.Conn
	ended   chan struct{}
	end     sync.Once
	begin   sync.Once
	serving sync.WaitGroup
	there   sync.Map // remote address → *parting
	next    http.Handler
}

func newApart(s *http.Server, next http.Handler) *apart {
	var only http.Protocols
	only.SetUnencryptedHTTP2(true) // what has come through TLS is in clear here
	a := &apart{conns: make(chan net.Conn), ended: make(chan struct{}), next: next}
	a.Server = &http.Server{
		Handler: a, ConnState: s.ConnState, ErrorLog: s.ErrorLog, HTTP2: s.HTTP2, MaxHeaderBytes: s.MaxHeaderBytes,
		ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout, IdleTimeout: s.IdleTimeout, Protocols: &only,
	}
	return a
}

// ServeHTTP says of a request what its server cannot know: that it has come through TLS.
func (a *apart) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c, ok := a.there.Load(r.RemoteAddr); ok {
		r.TLS = c.(*parting).tls
	}
	a.next.ServeHTTP(w, r)
}

// prefaceLimit is how long a client may take for its first bytes.
const prefaceLimit = 10 * time.Second

// serve returns when the connection has ended.
func (a *apart) serve(c *parting) {
	a.begin.Do(func() {
		a.serving.Go(func() { _ = a.Serve(a) }) // it ends with Close or Shutdown
	})
	address := c.RemoteAddr().String()
	a.there.Store(address, c)
	defer a.there.Delete(address)
	_ = c.SetReadDeadline(time.Now().Add(prefaceLimit)) // the server takes it away
	select {
	case a.conns <- c:
		<-c.closed
	case <-a.ended:
	}
}

// Accept, Close and Addr make it the listener of its server.
func (a *apart) Accept() (net.Conn, error) {
	select {
	case c := <-a.conns:
		return c, nil
	case <-a.ended:
		return nil, net.ErrClosed
	}
}

// Close ends accepting.
func (a *apart) Close() error {
	a.end.Do(func() { close(a.ended) })
	return nil
}

// Addr is of no use to anybody.
func (a *apart) Addr() net.Addr { return &net.TCPAddr{} }

// takeHTTP2 makes the server for HTTP/1 pass connections on whose clients have chosen HTTP/2.
func (s *Server) takeHTTP2() {
	s.http2 = newApart(s.http, s)
	s.http.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, c *tls.Conn, _ http.Handler) {
			state := c.ConnectionState()
			own := &parting{Conn: c, tls: &state, closed: make(chan struct{})}
			s.track(own, http.StateNew)
			s.track(c, http.StateHijacked) // it is counted as own
			if s.leaving.Load() {
				own.sayGoodBye()
			}
			s.http2.serve(own)
			s.track(own, http.StateClosed)
		},
	}
}
