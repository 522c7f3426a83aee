package router

import (
	"log/slog"
	"net/http"
	"time"
)

const (
	readHeaderTimeout = 10 * time.Second // of a TLS handshake too
	clientIdle        = 120 * time.Second
	maxHeaderBytes    = 64 << 10
)

// NewServer returns a server for a handler that faces strangers: slow or huge headers are cut off, while bodies and
// answers may take as long as they like. What clients do wrong is logged at debug level only.
//
// It speaks HTTP/2 to those who ask for it in a TLS handshake: set TLSConfig and call ServeTLS.
func NewServer(handler http.Handler, logger *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       clientIdle,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		Protocols:         protocols,
		HTTP2:             http2Limits(),
	}
}

// http2Limits bounds what one connection may cost: in requests, in memory for what it sends faster than apps take it,
// and in time when its other end is gone without a word.
func http2Limits() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          250,
		MaxReadFrameSize:              64 << 10,
		MaxReceiveBufferPerConnection: 1 << 20,
		MaxReceiveBufferPerStream:     512 << 10,
		MaxDecoderHeaderTableSize:     4 << 10,
		MaxEncoderHeaderTableSize:     4 << 10,
		SendPingTimeout:               30 * time.Second,
		PingTimeout:                   15 * time.Second,
		WriteByteTimeout:              60 * time.Second,
	}
}
