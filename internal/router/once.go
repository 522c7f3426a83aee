package router

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
)

// sending knows whether any byte of one request was written, which decides whether it may be sent again: what an
// app may have received could have been what ended the app. It is used by the request's own goroutine only.
type sending struct {
	conn   *appConn // of the current attempt; nil while it has none
	before int64    // what conn had carried when the request got it
	reused bool     // conn has carried another request
	begun  bool     // an earlier attempt wrote something
}

// track returns the request in a form that http.Transport sends at most once, and what becomes of it.
func track(req *http.Request) (*http.Request, *sending) {
	s := &sending{}
	trace := &httptrace.ClientTrace{GotConn: s.gotConn}
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	if req.Body == nil {
		forbidReplay(req)
	}
	return req, s
}

// depart begins an attempt.
func (s *sending) depart() {
	s.begun = s.mayHaveArrived()
	s.conn, s.reused = nil, false
}

// gotConn is called by the transport before it writes, in RoundTrip's goroutine.
func (s *sending) gotConn(info httptrace.GotConnInfo) {
	s.depart()
	s.conn, s.reused = info.Conn.(*appConn), info.Reused
	s.before = s.conn.written.Load()
	if s.reused && s.conn.endedByApp() {
		_ = s.conn.Close() // so that the transport cannot write what it has not noticed to be in vain
	}
}

// mayHaveArrived is exact after an attempt that failed by itself: the transport has stopped writing then. While
// it is cancelled, more may be written.
func (s *sending) mayHaveArrived() bool {
	return s.begun || s.conn != nil && s.conn.written.Load() != s.before
}

// foundClosed reports that an idle connection took nothing of the request, because the app had closed it.
func (s *sending) foundClosed() bool { return s.reused && !s.mayHaveArrived() }

// identity is a body's encoding that shows nowhere in the request.
var identity = []string{"identity"}

// forbidReplay keeps http.Transport from sending a request without a body again when a reused connection ends
// before the answer. It does so for some methods, and for all with an idempotency key, even when the request was
// written, because it takes these for harmless. No setting prevents it, but a body does, and this one is sent
// as nothing at all. POST, PUT and PATCH must say "Content-Length: 0", which net/http writes only where there is
// no body; there it is the key that must go unnoticed, in a spelling that means the same to everybody else.
func forbidReplay(req *http.Request) {
	switch req.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
			if values, ok := req.Header[name]; ok {
				delete(req.Header, name)
				req.Header[strings.ToLower(name)] = values
			}
		}
	default:
		req.Body, req.TransferEncoding = nothing{}, identity
	}
}

// nothing is an empty body that is not http.NoBody.
type nothing struct{}

func (nothing) Read([]byte) (int, error)         { return 0, io.EOF }
func (nothing) WriteTo(io.Writer) (int64, error) { return 0, nil }
func (nothing) Close() error                     { return nil }
