package router

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/setopsco/setops/internal/router/transport"
)

var (
	errUnknownHost = errors.New("no app answers at this host")
	errNoneHealthy = errors.New("no healthy upstream")
	errMoved       = errors.New("host answers elsewhere since a moment ago")
)

// smallUpload is the length up to which a request's body is read before it is sent on.
const smallUpload = 4 << 10

// flight is one request on its way there and back. Flights are used again and again: nothing that may outlive ServeHTTP
// keeps one.
type flight struct {
	router *Router

	at       place
	pool     *pool // found there when the request began; nil when it is to be found anew
	writer   http.ResponseWriter
	request  *http.Request     // of the client
	out      http.Request      // for the upstream; its header is the client's
	protocol string            // to which the client wants to change, "" for none
	upstream *upstream         // counted in; nil while none is
	refused  []*upstream       // would not take a connection
	lastErr  error             // of the last of refused
	upload   *upload           // nil when the request has no body
	small    [smallUpload]byte // what of such a request was read; the transport is done with it when it has an answer
	tunnel   io.Closer         // the app's side of an upgraded connection; closing it ends the client's side too
	stall    stall

	onEarly func(code int, header http.Header) error // passEarly; kept, because a new closure for each request is waste
}

func (r *Router) newFlight() *flight {
	f := &flight{router: r}
	f.stall.limit = r.config.StallTimeout
	f.onEarly = f.passEarly
	return f
}

// run answers the client, in any case but one: it panics with http.ErrAbortHandler where an answer that has begun breaks
// off, so that the client sees it break off too.
func (f *flight) run() {
	if !f.prepare() {
		pageBadUpgrade.write(f.writer)
		return
	}
	res, err := f.send()
	if err != nil {
		f.fail(err)
		return
	}
	defer func() { _ = res.Body.Close() }() // after its end, or as good as
	f.arrive(res)
	if res.StatusCode == http.StatusSwitchingProtocols {
		f.upgrade(res)
		return
	}
	f.answer(res)
}

// send sends the request to the best upstream, and to the next best as long as nothing of it was sent: an upstream that
// took no connection, or nothing from one, is the only reason to try again, whatever the method.
func (f *flight) send() (*http.Response, error) {
	if err := f.takeBody(); err != nil {
		return nil, err
	}
	ctx := f.request.Context()
	for {
		addr, err := f.board()
		if err != nil {
			return nil, err
		}
		res, err := f.router.transport.Send(ctx, addr, &f.out, f.onEarly)
		if err == nil || !transport.Unsent(err) || ctx.Err() != nil {
			return res, err
		}
		f.turnBack(addr, err)
	}
}

// takeBody prepares the sending of a body, if there is one.
func (f *flight) takeBody() error {
	if f.request.ContentLength == 0 || f.request.Body == nil {
		f.out.ContentLength = 0
		return nil
	}
	// The transport closes the body even when it could not connect, and then there is nothing to retry with.
	f.upload = newUpload(f.request)
	f.out.Body = f.upload
	if f.out.Trailer = f.upload.trailer; f.out.Trailer != nil {
		f.out.ContentLength = -1 // only then there is a place for them
	}
	f.stall.watch(f.writer, f.upload)
	return f.load(&f.out)
}

// load takes a small body whole before it goes on: it leaves together with its header then, and a slow client keeps no
// task waiting. One that the client holds back until it is wanted is not touched.
func (f *flight) load(req *http.Request) error {
	if req.ContentLength <= 0 || req.ContentLength > smallUpload || req.Header.Get("Expect") != "" {
		return nil
	}
	body := f.small[:req.ContentLength]
	if _, err := io.ReadFull(f.upload, body); err != nil {
		return fmt.Errorf("read body of request: %w", err)
	}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return nil
}

// board chooses an upstream and counts the request in. When the upstream has left the table meanwhile, or would not take
// the request, there may be a newer table to choose from: an older one than any answer came from is never used.
func (f *flight) board() (addr string, err error) {
	for {
		pool := f.pool
		f.pool = nil
		if pool == nil {
			pool = f.router.table.Load().find(f.at)
		}
		if pool == nil {
			return "", errUnknownHost
		}
		if pool.redirect != "" {
			return "", errMoved
		}
		m := pool.choose(f.refused)
		if m == nil && f.lastErr != nil {
			return "", f.lastErr
		}
		if m == nil {
			return "", errNoneHealthy
		}
		if m.upstream.enter() {
			f.upstream = m.upstream
			return m.addr, nil
		}
	}
}

func (f *flight) arrive(res *http.Response) {
	f.upstream.reached()
	if f.upload != nil && !f.upload.whole.Load() {
		f.answerEarly()
	}
	if res.StatusCode == http.StatusSwitchingProtocols {
		f.stall.end() // both sides may be silent for as long as they like
		f.tunnel = res.Body
		f.upstream.hold(f.tunnel)
	}
}

// answerEarly lets an answer begin while the client still sends: the server would otherwise take the rest of the
// body away from the app. The connection ends afterwards, so that nothing of the body is read as a next request.
func (f *flight) answerEarly() {
	if f.request.ProtoMajor > 1 {
		return // no such trouble there, and the header would end all streams of the connection
	}
	f.writer.Header().Set("Connection", "close")
	// A writer that is not the server's has no such mode and needs none.
	_ = http.NewResponseController(f.writer).EnableFullDuplex()
}

func (f *flight) turnBack(addr string, err error) {
	if f.upstream.refused(err) {
		f.router.log.Warn("upstream takes no connection", "upstream", f.upstream.id, "addr", addr, "error", err)
	}
	f.refused = append(f.refused, f.upstream)
	f.lastErr = err
	f.disembark()
}

func (f *flight) disembark() {
	if f.upstream.leave() {
		f.router.forget(f.upstream)
	}
	f.upstream = nil
}

// end counts the request out and leaves nothing behind for the next one.
func (f *flight) end() {
	f.stall.end()
	if f.upload != nil {
		f.upload.over.Store(true)
	}
	if f.tunnel != nil {
		f.upstream.release(f.tunnel)
	}
	if f.upstream != nil {
		f.disembark()
	}
	clear(f.refused)
	f.refused = f.refused[:0]
	f.at, f.pool, f.writer, f.request, f.out = place{}, nil, nil, nil, http.Request{}
	f.protocol, f.lastErr, f.upload, f.tunnel = "", nil, nil, nil
}

// fail answers a request for which the upstream gave no answer.
func (f *flight) fail(err error) {
	w := f.writer
	f.router.log.Debug("request got no answer", "host", f.at.name, "method", f.request.Method, "error", err)
	switch {
	case errors.Is(err, errUnknownHost):
		pageUnknownHost.write(w)
	case errors.Is(err, errMoved):
		f.follow(w)
	case errors.Is(err, errNoneHealthy):
		pageNoneHealthy.writeRetry(w, f.router.config.ProbeInterval)
	case f.upload != nil && f.upload.stalled.Load():
		pageSlowBody.write(w)
	case f.upload != nil && f.upload.broken.Load():
		pageBadBody.write(w)
	default:
		if f.upload != nil && !f.upload.whole.Load() {
			f.answerEarly() // the upload may still wait for the client
		}
		pageNoAnswer.write(w)
	}
}

// follow sends a request on whose host has become a redirect while it looked for an upstream.
func (f *flight) follow(w http.ResponseWriter) {
	pool := f.router.table.Load().find(f.at)
	if pool == nil {
		pageUnknownHost.write(w)
		return
	}
	if location := f.router.elsewhere(f.request, f.at, pool); location != "" {
		sendOn(w, location)
		return
	}
	pageNoneHealthy.writeRetry(w, f.router.config.ProbeInterval)
}
