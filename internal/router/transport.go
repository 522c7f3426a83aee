package router

import (
	"time"

	"github.com/setopsco/setops/internal/router/transport"
)

const (
	dialTimeout = 5 * time.Second

	// upstreamIdle is shorter than the keep-alive times of common app servers (2 s and more): they would else
	// close a connection at the moment at which we write to it, and what was written is never sent again.
	upstreamIdle = 1500 * time.Millisecond

	idlePerUpstream      = 256
	maxAnswerHeaderBytes = 256 << 10
	continueTimeout      = time.Second
)

// newTransport has no limit for the time that an app takes to answer: long polling is as good as any request.
func newTransport() *transport.Transport {
	return transport.New(transport.Config{
		DialTimeout:     dialTimeout,
		ContinueTimeout: continueTimeout,
		IdleTimeout:     upstreamIdle,
		MaxIdlePerHost:  idlePerUpstream,
		MaxHeaderBytes:  maxAnswerHeaderBytes,
	})
}
