package transport

import (
	"fmt"
	"io"
	"net"
	"net/http"
)

// upgraded is the body of a 101: the connection itself, in both directions. ReadFrom, CloseWrite and deadlines are
// those of TCP, so that io.Copy needs no buffer between two sockets.
type upgraded struct {
	*net.TCPConn
	early []byte // came together with the answer
}

// upgrade gives the connection away. A request that is not wholly sent cannot be answered so.
func (x *exchange) upgrade(res *http.Response) (*http.Response, error) {
	if !x.upload.finished() {
		return nil, x.fail("upgrade connection to", errAnswered)
	}
	if !x.transport.watch.end(x) {
		return nil, x.fail("upgrade connection to", x.cause(errClosed))
	}
	buffered, err := x.conn.r.Peek(x.conn.r.Buffered())
	if err != nil {
		return nil, x.fail("upgrade connection to", fmt.Errorf("take what came early: %w", err))
	}
	early := append([]byte(nil), buffered...)
	res.Body = &upgraded{TCPConn: x.conn.tcp, early: early}
	x.transport.regain(x.conn)
	return res, nil
}

// Read gives what came early first.
func (u *upgraded) Read(p []byte) (int, error) {
	if len(u.early) > 0 {
		n := copy(p, u.early)
		u.early = u.early[n:]
		return n, nil
	}
	return u.TCPConn.Read(p)
}

// WriteTo implements io.WriterTo, lest the one of TCPConn passes by what came early.
func (u *upgraded) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(u.early)
	u.early = u.early[n:]
	if err != nil {
		return int64(n), err
	}
	m, err := u.TCPConn.WriteTo(w)
	return int64(n) + m, err
}
