package transport

import (
	"bufio"
	"fmt"
	"math"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// conn is a connection to a task. It has one request at a time, and buffers only while it has one.
type conn struct {
	tcp       *net.TCPConn
	raw       syscall.RawConn
	addr      string
	reused    bool      // has carried another request
	idleSince time.Time // when it got into the pool

	r     *bufio.Reader // of the conn itself, and so is w
	w     *bufio.Writer
	room  int64       // bytes that may still be read; exceeded by headers only
	sent  atomic.Bool // a byte of the current request was taken
	stuck atomic.Bool // a write of the current request failed

	close func() // may be called at any time, and more than once

	peek  func(fd uintptr) // sets quiet; kept, because a new closure for each request is waste
	quiet bool
}

func newConn(addr string, tcp *net.TCPConn) (*conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("get socket of connection to %s: %w", addr, err)
	}
	c := &conn{tcp: tcp, raw: raw, addr: addr}
	c.close = func() { _ = tcp.Close() } // there is nothing left to lose
	c.peek = func(fd uintptr) { c.quiet = isQuiet(int(fd)) }
	return c, nil
}

// silent reports that the task has neither ended an idle connection nor said anything unasked. It does not wait.
func (c *conn) silent() bool {
	// Control and not Read, which would wait for something to read.
	err := c.raw.Control(c.peek)
	return err == nil && c.quiet
}

// Read is what the reader of an answer reads from.
func (c *conn) Read(p []byte) (int, error) {
	if c.room <= 0 {
		return 0, errHeaderTooLarge
	}
	if int64(len(p)) > c.room {
		p = p[:c.room]
	}
	n, err := c.tcp.Read(p)
	c.room -= int64(n)
	return n, err
}

// Write notes whether anything of the request was taken, which decides whether another connection may have it.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.tcp.Write(p)
	if n > 0 {
		c.sent.Store(true)
	}
	if err != nil {
		c.stuck.Store(true)
	}
	return n, err
}

// untouched reports that the socket refused the request before it had taken anything of it.
func (c *conn) untouched() bool { return c.stuck.Load() && !c.sent.Load() }

// lastWords is how long the answer to a request may take that the task has stopped to read.
const lastWords = time.Second

// awaitLastWords is for a connection that takes no more. The task may have answered before it stopped to read: what it
// said is here by now, or soon.
func (c *conn) awaitLastWords() { _ = c.tcp.SetReadDeadline(time.Now().Add(lastWords)) }

// limit ends a header that exceeds n bytes, give or take what is buffered.
func (c *conn) limit(n int64) { c.room = n }

func (c *conn) unlimit() { c.room = math.MaxInt64 }

// lend gives a connection what it needs for one request.
func (t *Transport) lend(c *conn) {
	c.sent.Store(false)
	c.stuck.Store(false)
	if r, ok := t.readers.Get().(*bufio.Reader); ok {
		r.Reset(c)
		c.r = r
	} else {
		c.r = bufio.NewReader(c)
	}
	if w, ok := t.writers.Get().(*bufio.Writer); ok {
		w.Reset(c)
		c.w = w
	} else {
		c.w = bufio.NewWriter(c)
	}
}

// regain takes back the buffers of a connection that nobody reads or writes any more.
func (t *Transport) regain(c *conn) {
	c.r.Reset(nil)
	c.w.Reset(nil)
	t.readers.Put(c.r)
	t.writers.Put(c.w)
	c.r, c.w = nil, nil
}
