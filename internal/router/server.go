package router

import (
	"log/slog"
	"net/http"
	"time"
)

const (
	readHeaderTimeout = 10 * time.Second
	clientIdle        = 120 * time.Second
	maxHeaderBytes    = 64 << 10
)

// NewServer returns a server for a handler that faces strangers: slow or huge headers are cut off, while bodies
// and answers may take as long as they like. What clients do wrong is logged at debug level only.
func NewServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       clientIdle,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}
