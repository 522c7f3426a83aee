package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// ConnectionError says that the server gave no answer: it is down, unreachable, or cut the connection.
type ConnectionError struct {
	Address string // the server's base URL, as it was tried
	Tries   int    // how often the request was sent; 0: it was a stream
	Err     error
}

// Error names the address and the cause in a few words.
func (e *ConnectionError) Error() string {
	return fmt.Sprintf("the server at %s cannot be reached: %s", e.Address, e.cause())
}

// Unwrap gives the cause.
func (e *ConnectionError) Unwrap() error { return e.Err }

// Cut says whether the server was reached and then closed the connection: what was asked for may have been done.
func (e *ConnectionError) Cut() bool {
	return e.Err == nil || errors.Is(e.Err, io.EOF) || errors.Is(e.Err, io.ErrUnexpectedEOF) ||
		errors.Is(e.Err, syscall.ECONNRESET) || errors.Is(e.Err, syscall.EPIPE) ||
		strings.Contains(e.Err.Error(), "server closed idle connection") // net/http gives it no name
}

// cause says in plain words what the layers below wrap several times.
func (e *ConnectionError) cause() string {
	var dns *net.DNSError
	var wrapped *url.Error
	switch {
	case e.Cut():
		return "it closed the connection without an answer"
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(e.Err, &dns):
		return "there is no host " + dns.Name
	case errors.Is(e.Err, context.DeadlineExceeded), isTimeout(e.Err):
		return "no answer in time"
	case errors.As(e.Err, &wrapped):
		return wrapped.Err.Error()
	}
	return e.Err.Error()
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
