package router

import "net/http"

// ServeHTTP answers a request from the public side.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	host := canonicalHost(req.Host)
	switch {
	case req.Method == http.MethodConnect:
		pageNoTunnels.write(w)
	case req.URL.Opaque != "": // such as "GET http:x", which would be sent on as a broken request line
		pageBadTarget.write(w)
	case isPrivate(host), r.table.Load().lookup(host) == nil:
		pageUnknownHost.write(w)
	default:
		r.forward(w, req, host)
	}
}

// forward takes the request to an upstream of the host and brings the answer back.
func (r *Router) forward(w http.ResponseWriter, req *http.Request, host string) {
	f := r.flights.Get().(*flight)
	f.host, f.writer = host, w
	// Deferred, because the proxy panics with http.ErrAbortHandler to cut a connection short.
	defer func() {
		f.end()
		r.flights.Put(f)
	}()
	f.proxy.ServeHTTP(w, req)
}
