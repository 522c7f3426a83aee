package router

import (
	"net/http"
	"net/textproto"
	"strings"
)

// hopByHop are the headers that speak of one connection, whether Connection lists them or not (RFC 9110, 7.6.1).
var hopByHop = [...]string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
}

// removeHopByHop leaves what is meant for the other end. What Connection lists goes too, unless spared says otherwise of
// its canonical name.
func removeHopByHop(header http.Header, spared func(name string) bool) {
	for _, list := range header["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			name = textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name))
			if spared == nil || !spared(name) {
				delete(header, name)
			}
		}
	}
	for _, name := range hopByHop {
		delete(header, name)
	}
}

// upgradeOf is the protocol to which a message wants to change its connection, "" for none.
func upgradeOf(header http.Header) string {
	if !hasToken(header["Connection"], "Upgrade") {
		return ""
	}
	return header.Get("Upgrade")
}

// hasToken looks for an element of comma-separated lists, in whatever case.
func hasToken(lists []string, token string) bool {
	for _, list := range lists {
		for element := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(textproto.TrimString(element), token) {
				return true
			}
		}
	}
	return false
}

// isPrintable reports visible ASCII and spaces, and nothing else.
func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// move gives headers over, behind those of the same name that are there.
func move(to, from http.Header) {
	for name, values := range from {
		if there := to[name]; len(there) > 0 {
			values = append(there[:len(there):len(there)], values...)
		}
		to[name] = values
	}
}
