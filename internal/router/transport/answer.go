package transport

import (
	"fmt"
	"io"
	"net/http"
	"sync"
)

// answer is the body of an answer. It decides what becomes of the connection: only one whose request and answer are
// both known to have ended exactly carries another request.
type answer struct {
	exchange *exchange
	body     io.ReadCloser // of net/http
	length   int64         // -1 where it is not known
	keep     bool          // the task keeps the connection

	mu   sync.Mutex // held while reading
	read int64
	end  error // what Read returns from now on; nil while there may be more
}

// begin gives the answer its body. One that has none has ended already.
func (x *exchange) begin(res *http.Response) (*http.Response, error) {
	if res.StatusCode == http.StatusSwitchingProtocols {
		return x.upgrade(res)
	}
	a := &x.answer
	a.exchange, a.body, a.length, a.keep = x, res.Body, res.ContentLength, !res.Close && !x.req.Close
	if res.Body == http.NoBody {
		a.finish(io.EOF)
		return res, nil
	}
	res.Body = a
	return res, nil
}

// Read implements io.Reader. The connection is free for others when it returns io.EOF.
func (a *answer) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.end != nil {
		return 0, a.end
	}
	n, err := a.body.Read(p)
	a.read += int64(n)
	switch {
	case err == io.EOF:
		a.finish(err)
	case err != nil:
		err = fmt.Errorf("read answer of %s: %w", a.exchange.conn.addr, a.exchange.cause(err))
		a.finish(err)
	}
	return n, err
}

// Ready reports that the next Read has something that is here already.
func (a *answer) Ready() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.end != nil || a.exchange.conn.r.Buffered() > 0
}

// Close ends an answer. One that is not read to its end costs the connection, unless the rest is here already.
func (a *answer) Close() error {
	if !a.mu.TryLock() { // somebody reads, and may wait for a long time
		a.exchange.conn.close()
		a.mu.Lock()
	}
	defer a.mu.Unlock()
	if a.end != nil {
		return nil
	}
	if rest := a.length - a.read; rest >= 0 && rest <= int64(a.exchange.conn.r.Buffered()) {
		if _, err := io.Copy(io.Discard, a.body); err == nil {
			a.finish(io.EOF)
			a.end = errClosed
			return nil
		}
	}
	a.finish(errClosed)
	return nil
}

// finish gives the connection to the pool if that is safe, and closes it otherwise. It is called once, with the lock.
func (a *answer) finish(end error) {
	a.end = end
	x := a.exchange
	safe := end == io.EOF && a.keep && !x.conn.stuck.Load() && x.upload.finished() && x.conn.r.Buffered() == 0
	if x.transport.watch.end(x) && safe {
		x.transport.regain(x.conn)
		x.transport.put(x.conn)
		return
	}
	x.conn.close()
}
