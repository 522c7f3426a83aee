package router

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// upload is a client's body that survives the Close of an attempt that sent nothing of it, and that knows how it
// ended. It is read by the transport while the handler looks at it.
type upload struct {
	request *http.Request // of the client
	body    io.Reader
	trailer http.Header  // of the upstream's request: what the client has announced; filled at the end
	over    atomic.Bool  // the handler has returned: there is nothing that may be read any more
	whole   atomic.Bool  // read to its end
	broken  atomic.Bool  // the client broke off, or sent what is no body
	stalled atomic.Bool  // the client sent nothing for too long
	waiting atomic.Int64 // Unix nanoseconds since when the client is waited for; 0 while it is not
}

var errOver = errors.New("the request is over")

// newUpload takes the body of a request, and the announcements of its trailers that an app may get. Their values come
// behind the body.
func newUpload(in *http.Request) *upload {
	u := &upload{request: in, body: in.Body}
	for name := range in.Trailer {
		if isForgery(name) || slices.Contains(hopByHop[:], name) {
			continue
		}
		if u.trailer == nil {
			u.trailer = http.Header{}
		}
		u.trailer[name] = nil
	}
	return u
}

func (u *upload) Read(p []byte) (int, error) {
	if u.over.Load() {
		return 0, errOver
	}
	u.waiting.Store(time.Now().UnixNano())
	n, err := u.body.Read(p)
	u.waiting.Store(0)
	switch {
	case err == nil:
	case err == io.EOF:
		u.fillTrailer()
		u.whole.Store(true)
	default:
		u.broken.Store(true)
	}
	return n, err
}

func (u *upload) fillTrailer() {
	for name := range u.trailer {
		u.trailer[name] = u.request.Trailer[name]
	}
}

// Close does nothing: the server closes what it reads from the client.
func (u *upload) Close() error { return nil }
