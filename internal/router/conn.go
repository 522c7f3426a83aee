package router

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
)

// appConn is a connection to an app that counts what it carries there.
type appConn struct {
	*net.TCPConn
	raw     syscall.RawConn
	written atomic.Int64 // bytes
}

func newAppConn(conn net.Conn) (net.Conn, error) {
	tcp := conn.(*net.TCPConn) // what a net.Dialer makes of "tcp"
	raw, err := tcp.SyscallConn()
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("get socket of %s: %w", conn.RemoteAddr(), err)
	}
	return &appConn{TCPConn: tcp, raw: raw}, nil
}

func (c *appConn) Write(p []byte) (int, error) {
	n, err := c.TCPConn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// ReadFrom implements io.ReaderFrom, lest the one of TCPConn passes by the count.
func (c *appConn) ReadFrom(r io.Reader) (int64, error) {
	n, err := c.TCPConn.ReadFrom(r)
	c.written.Add(n)
	return n, err
}
