package router

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"net/http"
	"net/textproto"
	"strings"
)

const requestIDHeader = "X-Request-Id"

// noUserAgent keeps Request.Write from naming net/http where the client has named nothing.
var noUserAgent = []string{""}

// prepare makes the request that an upstream gets, with the client's own header, which nobody else needs any more, host
// and target. It refuses to ask for a protocol that cannot be written.
func (f *flight) prepare() (ok bool) {
	in := f.request
	header := in.Header
	if header == nil {
		header = http.Header{}
	}
	f.out = http.Request{Method: in.Method, URL: in.URL, Header: header, Host: in.Host, ContentLength: in.ContentLength}
	f.protocol = upgradeOf(header)
	if !isPrintable(f.protocol) {
		return false
	}
	if strings.Contains(strings.ToLower(f.protocol), "h2c") {
		// Cleartext HTTP/2 would pass by all of this: the router would only copy bytes.
		f.protocol = ""
	}
	trailers := hasToken(header["Te"], "trailers")
	removeHopByHop(header, isForgery) // what is forged goes anyway, and what a trusted proxy says stays
	delete(header, "Http2-Settings")
	if trailers {
		header["Te"] = []string{"trailers"}
	}
	if f.protocol != "" {
		header["Connection"], header["Upgrade"] = []string{"Upgrade"}, []string{f.protocol}
	}
	if _, ok := header["User-Agent"]; !ok {
		header["User-Agent"] = noUserAgent
	}
	f.router.vouch(header, in)
	return true
}

// vouch says who asks and for what. Nothing that a stranger claims about that is left; what a trusted proxy says is kept
// and extended.
func (r *Router) vouch(header http.Header, in *http.Request) {
	trusted := r.trusts(in.RemoteAddr)
	for name := range header {
		if isForgery(name) && !(trusted && mayBeTrusted(name)) {
			delete(header, name)
		}
	}
	if trusted {
		extend(header, in.RemoteAddr)
	}
	values := make([]string, 0, 4) // one allocation for all
	set := func(name, value string) {
		if len(header[name]) == 0 {
			values = append(values, value)
			header[name] = values[len(values)-1 : len(values) : len(values)]
		}
	}
	if ip, _, err := net.SplitHostPort(in.RemoteAddr); err == nil {
		set("X-Forwarded-For", ip)
	}
	set("X-Forwarded-Host", in.Host)
	proto := "http"
	if in.TLS != nil {
		proto = "https"
	}
	set("X-Forwarded-Proto", proto)
	set(requestIDHeader, newRequestID())
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

// newRequestID returns 32 hex digits. They need to be unique, not secret.
func newRequestID() string {
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	var text [32]byte
	hex.Encode(text[:], id[:])
	return string(text[:])
}
