package router

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strings"
)

const requestIDHeader = "X-Request-Id"

// rewrite makes the request that an upstream gets of the one that the client sent. The address comes later, when
// an upstream is chosen. The client's Host and query stay as they are.
func (r *Router) rewrite(pr *httputil.ProxyRequest) {
	pr.Out.URL.Scheme = "http"
	pr.Out.URL.User = nil // of an absolute target; the transport would make a header of it
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery
	for name := range pr.Out.Header {
		if isForgery(name) {
			delete(pr.Out.Header, name)
		}
	}
	pr.SetXForwarded()
	pr.Out.Header[requestIDHeader] = []string{newRequestID()}
	if r.trusts(pr.In.RemoteAddr) {
		trust(pr)
	}
	refuseCleartextHTTP2(pr.Out.Header)
}

// isForgery reports a header by which a client would claim what only a router knows. Many apps read an
// underscore as a dash (CGI, WSGI, Rack), so both count. Proxy would become the variable HTTP_PROXY there.
func isForgery(name string) bool {
	if strings.Contains(name, "_") {
		name = textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(name, "_", "-"))
		if isFraming(name) {
			return true
		}
	}
	switch name {
	case "Forwarded", "X-Real-Ip", requestIDHeader, "Proxy":
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-")
}

// isFraming reports a header that says where a request ends or for whom it is. Under its own name net/http has taken
// care of it.
func isFraming(name string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Connection", "Host", "Trailer", "Te", "Upgrade", "Expect":
		return true
	}
	return false
}

// refuseCleartextHTTP2 keeps a client from talking to an upstream in a protocol that passes by all of the above:
// after an upgrade to h2c the router would only copy bytes.
func refuseCleartextHTTP2(header http.Header) {
	if strings.Contains(strings.ToLower(header.Get("Upgrade")), "h2c") {
		header.Del("Connection")
		header.Del("Upgrade")
	}
	header.Del("Http2-Settings")
}

// newRequestID returns 32 hex digits. They need to be unique, not secret.
func newRequestID() string {
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	var text [32]byte
	hex.Encode(text[:], id[:])
	return string(text[:])
}
