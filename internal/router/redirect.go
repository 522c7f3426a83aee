package router

import (
	"net"
	"net/http"
	"strconv"
	"strings"
)

// elsewhere is the URL to which a request is sent on, "" for a request that is answered here.
func (r *Router) elsewhere(req *http.Request, at place, p *pool) string {
	host, encrypted := at.name, r.encrypted(req)
	if p.redirect != "" {
		host = p.redirect
	}
	upgrade := !encrypted && at.kind == public && r.config.Secure != nil && r.config.Secure(host)
	switch {
	case upgrade:
		return "https://" + host + r.httpsPort() + req.URL.RequestURI()
	case p.redirect == "" || host == at.name: // a host that is its own other one would be one without an end
		return ""
	case encrypted:
		return "https://" + host + portOf(req.Host) + req.URL.RequestURI()
	default:
		return "http://" + host + portOf(req.Host) + req.URL.RequestURI()
	}
}

// encrypted reports whether the client speaks TLS, with us or with a proxy before us.
func (r *Router) encrypted(req *http.Request) bool {
	return req.TLS != nil || strings.EqualFold(req.Header.Get("X-Forwarded-Proto"), "https") && r.trusts(req.RemoteAddr)
}

func (r *Router) httpsPort() string {
	if r.config.HTTPSPort == DefaultHTTPSPort {
		return ""
	}
	return ":" + strconv.Itoa(r.config.HTTPSPort)
}

// portOf returns the port of a Host header with its colon, "" where there is none or no number.
func portOf(host string) string {
	_, port, err := net.SplitHostPort(host)
	if err != nil || port == "" || strings.Trim(port, "0123456789") != "" {
		return ""
	}
	return ":" + port
}

// sendOn answers that the same request belongs elsewhere, whatever its method.
func sendOn(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	pageElsewhere.write(w)
}
