package router

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	dialTimeout = 5 * time.Second

	// upstreamIdle is shorter than the keep-alive times of common app servers (2 s and more): they would else
	// close a connection at the moment at which we write to it, and what was written is never sent again.
	upstreamIdle = 1500 * time.Millisecond

	idlePerUpstream      = 256
	maxAnswerHeaderBytes = 256 << 10
	continueTimeout      = time.Second
	copyBufferSize       = 32 << 10
)

// newTransport has no limit for the time that an app takes to answer: long polling is as good as any request.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, &dialError{err}
			}
			return newAppConn(conn)
		},
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    idlePerUpstream,
		IdleConnTimeout:        upstreamIdle,
		ExpectContinueTimeout:  continueTimeout,
		MaxResponseHeaderBytes: maxAnswerHeaderBytes,
	}
}

// dialError marks that the upstream took no connection, which no other error of a transport says for certain.
type dialError struct {
	err error
}

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

func isDialError(err error) bool {
	var dial *dialError
	return errors.As(err, &dial)
}

// buffers lends the proxy its copy buffers.
type buffers sync.Pool

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if buffer, ok := (*sync.Pool)(b).Get().(*[copyBufferSize]byte); ok {
		return buffer[:]
	}
	return make([]byte, copyBufferSize)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buffer []byte) {
	(*sync.Pool)(b).Put((*[copyBufferSize]byte)(buffer))
}
