package router

import "strings"

// privateSuffix ends the names that exist inside a stage only. No public request reaches them, whatever the
// table says.
const privateSuffix = ".internal"

// canonicalHost gives the one spelling under which a host is in the table: lower case, without port and final
// dot. It makes no judgement: a name that is none is simply not found. It allocates for upper case only.
func canonicalHost(host string) string {
	// The last colon starts a port, unless it is inside the brackets of an IPv6 address.
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

func isPrivate(canonical string) bool {
	return strings.HasSuffix(canonical, privateSuffix)
}

// hostPlace is where the pool of a route's host is, which may be a wildcard.
func hostPlace(kind kind, owner, host string) place {
	name := canonicalHost(host)
	if domain, ok := strings.CutPrefix(name, "*."); ok {
		return place{kind: kind, owner: owner, wildcard: true, name: "." + domain}
	}
	return place{kind: kind, owner: owner, name: name}
}

// splitLabel cuts a host before its first dot.
func splitLabel(host string) (label, domain string) {
	dot := strings.IndexByte(host, '.')
	if dot < 0 {
		return "", host
	}
	return host[:dot], host[dot:]
}

// isLabel tells what may stand for the star of a wildcard. net/http lets more through as a host than can be a name,
// and an exact host has been named by its owner, but this one only by a client.
func isLabel(label string) bool {
	for i := range len(label) {
		switch c := label[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return 0 < len(label) && len(label) <= 63
}
