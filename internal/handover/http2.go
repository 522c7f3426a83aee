package handover

import (
	"crypto/tls"
	"net"
	"net/http"
)

// apart lets connections of HTTP/2 belong to a server of their own, which is given. Shutdown of that one sends GOAWAY on
// each of them: clients go elsewhere, and the connection ends behind the last answer. There is no other way to have that
// done, and Shutdown of the server for HTTP/1 would cut idle connections.
func apart(s *http.Server) *http.Server {
	two := &http.Server{
		Handler: s.Handler, ConnState: s.ConnState, ErrorLog: s.ErrorLog, HTTP2: s.HTTP2, MaxHeaderBytes: s.MaxHeaderBytes,
		ReadTimeout: s.ReadTimeout, ReadHeaderTimeout: s.ReadHeaderTimeout, WriteTimeout: s.WriteTimeout, IdleTimeout: s.IdleTimeout,
	}
	_ = two.Serve(nobody{}) // sets TLSNextProto
	serve := two.TLSNextProto["h2"]
	if serve == nil { // somebody has switched HTTP/2 off
		return two
	}
	s.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, c *tls.Conn, h http.Handler) { serve(two, c, h) },
	}
	return two
}

// nobody is a listener to which nobody comes.
type nobody struct{}

func (nobody) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (nobody) Close() error              { return nil }
func (nobody) Addr() net.Addr            { return &net.TCPAddr{} }
