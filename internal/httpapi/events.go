package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// sender sends one event and reports whether the client still listens.
type sender func(event, id string, data any) bool

// keepAlive is how often a silent stream sends a comment, so that nothing between takes it for dead.
const keepAlive = 15 * time.Second

// events answers with server-sent events that f sends. They end when f returns, the client leaves, or the server stops.
func (s *Server) events(f func(ctx context.Context, send sender)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "text/event-stream")
		h.SetHeader("Cache-Control", "no-store")
		w := h.BodyWriter()
		flusher, _ := w.(http.Flusher)
		ctx, cancel := context.WithCancel(h.Context())
		defer cancel()
		lines, written := make(chan []byte), make(chan struct{})
		go func() {
			defer close(written)
			defer close(lines)
			f(ctx, func(event, id string, data any) bool {
				select {
				case lines <- format(event, id, data):
					return true
				case <-ctx.Done():
					return false
				}
			})
		}()
		s.pump(ctx, w, flusher, lines)
		cancel()
		for range lines { // f is told by ctx; nothing of it may outlive the answer
		}
		<-written
	}}
}

func (s *Server) pump(ctx context.Context, w interface{ Write([]byte) (int, error) }, flusher http.Flusher, lines <-chan []byte) {
	ticker := time.NewTicker(keepAlive)
	defer ticker.Stop()
	flush(flusher)
	for {
		var text []byte
		select {
		case line, more := <-lines:
			if !more {
				return
			}
			text = line
		case <-ticker.C:
			text = []byte(": still here\n\n")
		case <-ctx.Done():
			return
		case <-s.Stopping:
			return
		}
		if _, err := w.Write(text); err != nil {
			return
		}
		flush(flusher)
	}
}

func flush(f http.Flusher) {
	if f != nil {
		f.Flush()
	}
}

func format(event, id string, data any) []byte {
	text, err := json.Marshal(data)
	if err != nil {
		panic("httpapi: an event cannot be encoded: " + err.Error())
	}
	if id != "" {
		return fmt.Appendf(nil, "event: %s\nid: %s\ndata: %s\n\n", event, id, text)
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, text)
}
