// Command echo is the app of the load test: every answer says which version gave it. It listens on PORT. VERSION is its
// version; BROKEN makes it a bad one: "exit" ends at once, "ill" answers 503.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	broken := os.Getenv("BROKEN")
	if broken == "exit" {
		return errors.New("cannot start: BROKEN is set")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", greet)
	mux.HandleFunc("POST /{$}", digest)
	mux.HandleFunc("GET /slow", slow)
	mux.HandleFunc("GET /socket", socket)
	server := &http.Server{Addr: ":" + os.Getenv("PORT"), Handler: versioned(mux, broken == "ill")}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	select {
	case err := <-failed:
		return err
	case <-stop: // nothing is in flight any more: the router has drained it
		return server.Close()
	}
}

func version() string { return os.Getenv("VERSION") }

func versioned(next http.Handler, ill bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", version())
		if ill {
			http.Error(w, "BROKEN is set", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func greet(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, version()) }

func digest(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	if _, err := io.Copy(sum, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s %x\n", version(), sum.Sum(nil))
}

// slow sends a line every 100 ms, for 3 s.
func slow(w http.ResponseWriter, r *http.Request) {
	for range 30 {
		fmt.Fprintln(w, version())
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-r.Context().Done():
			return
		}
	}
	fmt.Fprintln(w, "end")
}

// socket sends each message back, with the version in front.
func socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx := context.Background()
	for {
		kind, text, err := conn.Read(ctx)
		if err != nil {
			return // the client has closed it
		}
		if conn.Write(ctx, kind, append([]byte(version()+" "), text...)) != nil {
			return
		}
	}
}
