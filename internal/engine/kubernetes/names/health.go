package names

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// serveHealth answers probes: /healthz as long as this process does, /readyz once it knows what the cluster has.
func (s *Server) serveHealth(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.Ready() {
			http.Error(w, "the cluster has not told yet what is there", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	s.health = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	s.running.Go(func() {
		if err := s.health.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.broken <- fmt.Errorf("answer probes: %w", err)
		}
	})
	return nil
}
