package router

import (
	"net/http"
	"strconv"
	"time"
)

// page is a short plain answer of the router itself.
type page struct {
	code int
	text string
}

var (
	pageUnknownHost = page{http.StatusNotFound, "No app answers at this host.\n"}
	pageNoneHealthy = page{http.StatusServiceUnavailable, "The app has no healthy task at the moment.\n"}
	pageNoAnswer    = page{http.StatusBadGateway, "The app gave no answer.\n"}
	pageBadBody     = page{http.StatusBadRequest, "The request's body could not be read.\n"}
	pageSlowBody    = page{http.StatusRequestTimeout, "The request's body did not come.\n"}
	pageMisdirected = page{http.StatusMisdirectedRequest, "This connection was made for another host.\n"}
	pageElsewhere   = page{http.StatusPermanentRedirect, "This host answers elsewhere.\n"}
	pageBadTarget   = page{http.StatusBadRequest, "The request's target is no path.\n"}
	pageBadMethod   = page{http.StatusBadRequest, "The request's method is none.\n"}
	pageBadUpgrade  = page{http.StatusBadRequest, "The request's Upgrade is no protocol.\n"}
	pageNoTunnels   = page{http.StatusMethodNotAllowed, "This router makes no tunnels.\n"}
)

func (p page) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(p.text)))
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.code)
	// A client that does not wait for its error page is none to report.
	_, _ = w.Write([]byte(p.text))
}

// writeRetry says in whole seconds when it is worth to ask again.
func (p page) writeRetry(w http.ResponseWriter, after time.Duration) {
	seconds := max(1, int((after+time.Second-1)/time.Second))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	p.write(w)
}
