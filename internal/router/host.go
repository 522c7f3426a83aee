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
