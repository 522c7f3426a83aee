package router

import (
	"net/http"
	"net/netip"
	"strings"
)

// maxRequestID is the length up to which a trusted proxy's request id is kept.
const maxRequestID = 128

// unmapped gives prefixes in the form in which trusts compares: IPv4 as itself.
func unmapped(prefixes []netip.Prefix) []netip.Prefix {
	plain := make([]netip.Prefix, len(prefixes))
	for i, p := range prefixes {
		plain[i] = p.Masked()
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			plain[i] = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96).Masked()
		}
	}
	return plain
}

// trusts reports whether a peer is one of the trusted proxies.
func (r *Router) trusts(remoteAddr string) bool {
	if len(r.config.TrustedProxies) == 0 {
		return false
	}
	peer, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap().WithZone("")
	for _, prefix := range r.config.TrustedProxies {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// mayBeTrusted tells the headers of isForgery that a proxy has a reason to send.
func mayBeTrusted(name string) bool { return name != "Proxy" && !strings.Contains(name, "_") }

// extend adds to what a trusted proxy says that the proxy has said it.
func extend(header http.Header, remoteAddr string) {
	if said := header["X-Forwarded-For"]; len(said) > 0 {
		header["X-Forwarded-For"] = []string{strings.Join(said, ", ") + ", " + peerName(remoteAddr, false)}
	}
	if said := header["Forwarded"]; len(said) > 0 {
		header["Forwarded"] = []string{strings.Join(said, ", ") + ", for=" + peerName(remoteAddr, true)}
	}
	if id := header[requestIDHeader]; len(id) != 1 || !isRequestID(id[0]) {
		delete(header, requestIDHeader)
	}
}

// peerName is an address without its port, as X-Forwarded-For has it or, quoted where need be, as Forwarded has it.
func peerName(remoteAddr string, quoted bool) string {
	peer, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return "unknown"
	}
	addr := peer.Addr().Unmap()
	if quoted && addr.Is6() {
		return `"[` + addr.String() + `]"`
	}
	return addr.String()
}

// isRequestID reports whether an id can do no harm in a log or a header.
func isRequestID(id string) bool {
	sane := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.:=+/@", c)
	}
	return id != "" && len(id) <= maxRequestID && strings.Trim(id, "-_.:=+/@") != "" &&
		!strings.ContainsFunc(id, func(c rune) bool { return !sane(c) })
}
