package router

import (
	"net/http"
	"strings"
)

// ServeHTTP answers a request from the public side, plain or by TLS.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	host := canonicalHost(req.Host)
	switch {
	case req.TLS != nil && req.TLS.ServerName != "" && canonicalHost(req.TLS.ServerName) != host:
		pageMisdirected.write(w)
	case isPrivate(host):
		pageUnknownHost.write(w)
	default:
		r.serve(w, req, place{kind: public, name: host})
	}
}

// Private answers requests from inside the owner's own network. It knows that owner's private routes and no others.
func (r *Router) Private(owner string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.serve(w, req, place{kind: private, owner: owner, name: canonicalHost(req.Host)})
	})
}

func (r *Router) serve(w http.ResponseWriter, req *http.Request, at place) {
	if req.Method == http.MethodConnect {
		pageNoTunnels.write(w)
		return
	}
	if !isMethod(req) {
		pageBadMethod.write(w)
		return
	}
	if !isPath(req) {
		pageBadTarget.write(w)
		return
	}
	pool := r.table.Load().find(at)
	if pool == nil {
		pageUnknownHost.write(w)
		return
	}
	if location := r.elsewhere(req, at, pool); location != "" {
		sendOn(w, location)
		return
	}
	r.forward(w, req, at, pool)
}

// isMethod refuses what would be no request line. Of HTTP/1.1, net/http lets nothing else through.
func isMethod(req *http.Request) bool {
	return req.ProtoMajor < 2 || !strings.ContainsFunc(req.Method, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return false
		}
		return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// isPath refuses what would be sent on as a broken request line, such as "GET http:x" and "GET *", and an absolute
// target in HTTP/2, which has another place for the host. In HTTP/1.1 one is as good as a path, and may have none.
func isPath(req *http.Request) bool {
	absolute := req.URL.Host != ""
	if req.URL.Opaque != "" || absolute && req.ProtoMajor > 1 {
		return false
	}
	return absolute && req.URL.Path == "" || strings.HasPrefix(req.URL.Path, "/")
}

// forward takes the request to an upstream and brings the answer back.
func (r *Router) forward(w http.ResponseWriter, req *http.Request, at place, pool *pool) {
	f := r.flights.Get().(*flight)
	f.at, f.pool, f.writer, f.request = at, pool, w, req
	// Deferred, because a flight panics with http.ErrAbortHandler to cut a connection short.
	defer func() {
		f.end()
		r.flights.Put(f)
	}()
	f.run()
}
