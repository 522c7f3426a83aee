package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// smallBody is the length in bytes up to which a body that is in memory is written by the caller itself.
const smallBody = 16 << 10

// exchange is one request and its answer on one connection.
type exchange struct {
	transport   *Transport
	conn        *conn
	ctx         context.Context // of this exchange, which is all that there is of it
	req         *http.Request
	preliminary func(code int, header http.Header) error // nil where nobody wants to know
	upload      *upload                                  // nil when the caller itself writes all of the request
	watched     watched
	answer      answer
}

// run sends the request and reads the answer up to its body. Where it fails, the connection is closed.
func (x *exchange) run() (*http.Response, error) {
	x.transport.lend(x.conn)
	x.transport.watch.begin(x)
	if err := x.send(); err != nil {
		return nil, x.fail("send request to", err)
	}
	res, err := x.receive()
	if err != nil {
		return nil, x.fail("read answer of", err)
	}
	if x.upload != nil {
		x.upload.answered()
	}
	return x.begin(res)
}

// send returns when all of the request was written, or all but its body. What can be said of an error then is certain:
// nothing more is being written.
func (x *exchange) send() error {
	if req := inOnePiece(x.req); req != nil {
		return x.write(req)
	}
	x.upload = startUpload(x.conn, x.req, x.transport.config.ContinueTimeout)
	<-x.upload.departed
	if x.conn.sent.Load() {
		return nil // how the body fares shows in the answer
	}
	<-x.upload.done
	return x.upload.err
}

// inOnePiece returns the request as it can be written without waiting for its body: where it has none, or a small one
// that is in memory, as GetBody says. Else it returns nil.
func inOnePiece(req *http.Request) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		return req
	}
	if req.GetBody == nil || req.ContentLength <= 0 || req.ContentLength > smallBody || req.Header.Get("Expect") != "" {
		return nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil // there is still the body itself
	}
	whole := *req
	whole.Body = body
	return &whole
}

func (x *exchange) write(req *http.Request) error {
	err := req.Write(x.conn.w)
	if err == nil {
		err = x.conn.w.Flush()
	}
	if x.conn.sent.Load() {
		closeBody(x.req) // no other connection will have it
		if x.conn.stuck.Load() {
			x.conn.awaitLastWords()
			return nil
		}
	}
	return err
}

// receive reads answers up to the one that is no preliminary.
func (x *exchange) receive() (*http.Response, error) {
	x.conn.limit(x.transport.config.MaxHeaderBytes)
	for {
		res, err := http.ReadResponse(x.conn.r, x.req)
		switch {
		case err != nil:
			return nil, err
		case res.ProtoMajor != 1:
			return nil, errNoHTTP1
		case res.StatusCode < 100:
			return nil, errBadStatus
		case res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols:
			x.conn.unlimit()
			return res, nil
		}
		if err := x.passOn(res); err != nil {
			return nil, err
		}
	}
}

// passOn gives a 1xx answer away. Their number is limited by whoever takes them, or else by their bytes.
func (x *exchange) passOn(res *http.Response) error {
	if res.StatusCode == http.StatusContinue && x.upload != nil {
		x.upload.allow()
	}
	if x.preliminary == nil {
		return nil
	}
	x.conn.limit(x.transport.config.MaxHeaderBytes)
	return x.preliminary(res.StatusCode, res.Header)
}

// fail closes the connection and says what an error means.
func (x *exchange) fail(doing string, err error) error {
	x.conn.close()
	x.transport.watch.end(x)
	if x.upload != nil {
		x.upload.answered()
	}
	cause := x.cause(err)
	if x.conn.untouched() {
		return &NotSentError{Addr: x.conn.addr, Err: cause} // the body may go elsewhere
	}
	if !x.conn.sent.Load() {
		closeBody(x.req)
	}
	return fmt.Errorf("%s %s: %w", doing, x.conn.addr, cause)
}

// cause looks for what made a connection fail: the caller or the client, rather than the task.
func (x *exchange) cause(err error) error {
	if x.ctx.Err() != nil {
		return context.Cause(x.ctx)
	}
	if x.upload != nil {
		if broken := x.upload.broken(); broken != nil {
			return fmt.Errorf("read body of request: %w", broken)
		}
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
