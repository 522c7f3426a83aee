package router

import (
	"io"
	"sync/atomic"
	"time"
)

// upload is a client's body that survives the Close of an attempt that sent nothing of it, and that knows how it
// ended. It is read by the transport while the handler looks at it.
type upload struct {
	body    io.Reader
	whole   atomic.Bool  // read to its end
	broken  atomic.Bool  // the client broke off, or sent what is no body
	stalled atomic.Bool  // the client sent nothing for too long
	waiting atomic.Int64 // Unix nanoseconds since when the client is waited for; 0 while it is not
}

func (u *upload) Read(p []byte) (int, error) {
	u.waiting.Store(time.Now().UnixNano())
	n, err := u.body.Read(p)
	u.waiting.Store(0)
	switch {
	case err == nil:
	case err == io.EOF:
		u.whole.Store(true)
	default:
		u.broken.Store(true)
	}
	return n, err
}

// Close does nothing: the server closes what it reads from the client.
func (u *upload) Close() error { return nil }
