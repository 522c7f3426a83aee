package transport

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// lastWrite is how long the end of a request may take that is answered already: it is all read, so that only the socket
// can hold it up.
const lastWrite = 50 * time.Millisecond

// upload writes a request with a body, in a goroutine that ends when the body's Read returns or the connection is
// closed. It is the body that Request.Write sees.
type upload struct {
	conn     *conn
	body     io.ReadCloser
	length   int64 // -1 where it is not known
	patience time.Duration

	departed chan struct{} // closed when the header was written
	done     chan struct{} // closed when nothing more is written; err is set before
	err      error

	allowed   chan struct{} // closed when the task wants the body; nil where it need not say so
	over      chan struct{} // closed when the exchange has its answer, or will have none
	allowOnce sync.Once
	overOnce  sync.Once

	begun    bool // Read was called; for the goroutine only, as the next two
	withheld bool // the body was not wanted
	count    int64
	whole    atomic.Bool
	breakage atomic.Pointer[error] // with which the body ended
}

func startUpload(c *conn, req *http.Request, patience time.Duration) *upload {
	u := &upload{
		conn: c, body: req.Body, length: req.ContentLength, patience: patience,
		departed: make(chan struct{}), done: make(chan struct{}), over: make(chan struct{}),
	}
	if req.Header.Get("Expect") == "100-continue" {
		u.allowed = make(chan struct{})
	}
	sent := *req
	sent.Body = u
	if req.ContentLength <= 0 {
		// Request.Write would otherwise wait for a first byte to see whether there is a body at all.
		u.length, sent.ContentLength, sent.TransferEncoding = -1, -1, []string{"chunked"}
	}
	go u.run(&sent)
	return u
}

func (u *upload) run(req *http.Request) {
	defer close(u.done)
	u.err = req.Write(u.conn.w)
	if u.err == nil {
		u.err = u.conn.w.Flush()
	}
	u.end()
	if !u.begun {
		close(u.departed)
	}
}

// end makes sure that somebody who waits for the answer does not wait in vain.
func (u *upload) end() {
	switch {
	case u.err == nil || u.withheld:
	case u.broken() != nil || !u.conn.sent.Load():
		u.conn.close()
	default:
		u.conn.awaitLastWords()
	}
	if u.conn.sent.Load() {
		_ = u.body.Close() // no other connection will have it
	}
}

// Read is first called when the header is on its way: net/http flushes it before a body that may block.
func (u *upload) Read(p []byte) (int, error) {
	if !u.begun {
		u.begun = true
		close(u.departed)
		if !u.wanted() {
			u.withheld = true
			return 0, errAnswered
		}
	}
	n, err := u.body.Read(p)
	u.count += int64(n)
	if err == io.EOF || u.count == u.length {
		u.whole.Store(true)
	}
	if err != nil && err != io.EOF {
		u.breakage.Store(&err)
	}
	return n, err
}

// Close does nothing: whether the body is still needed is not for Request.Write to say.
func (u *upload) Close() error { return nil }

// wanted holds the body back until the task wants it, or does not say so in time.
func (u *upload) wanted() bool {
	if u.allowed == nil {
		return true
	}
	timer := time.NewTimer(u.patience)
	defer timer.Stop()
	select {
	case <-u.allowed:
		return true
	case <-timer.C:
		return true
	case <-u.over:
		return false
	}
}

// allow lets a body go that was held back.
func (u *upload) allow() {
	if u.allowed != nil {
		u.allowOnce.Do(func() { close(u.allowed) })
	}
}

// answered says that a body that was held back is not wanted any more.
func (u *upload) answered() { u.overOnce.Do(func() { close(u.over) }) }

// broken is the error with which the client's body ended, nil for none.
func (u *upload) broken() error {
	if err := u.breakage.Load(); err != nil {
		return *err
	}
	return nil
}

// finished reports that the whole request was written, when its answer is read. No upload is finished.
func (u *upload) finished() bool {
	if u == nil {
		return true
	}
	if !u.whole.Load() {
		return false // answered early; the task may or may not take the rest for a request
	}
	timer := time.NewTimer(lastWrite)
	defer timer.Stop()
	select {
	case <-u.done:
		return u.err == nil
	case <-timer.C:
		return false
	}
}
