// Command hello is the app of the guide to deployment: a web server of which there are several versions, with a check of
// its own health and a task that migrates a database that it does not have.
//
//	hello              serves on PORT
//	hello check        exits 0 when the server in the same container is healthy
//	hello db:migrate   runs the migrations
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Set by the linker; see package pack.
var (
	version = "0"
	broken  = "" // what this version says before it exits, where it is one that does not start
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return serve(out)
	}
	switch args[0] {
	case "check":
		return check()
	case "db:migrate":
		return migrate(out)
	}
	return fmt.Errorf("hello has no command %q; there are check and db:migrate", args[0])
}

func port() string {
	if p := os.Getenv("PORT"); p != "" {
		return p
	}
	return "5000"
}

func greeting() string {
	if g := os.Getenv("GREETING"); g != "" {
		return g
	}
	return "Hello"
}

func serve(out io.Writer) error {
	if broken != "" {
		return errors.New(broken)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	server := &http.Server{Addr: ":" + port(), Handler: handler(), ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		fmt.Fprintln(out, "stopping")
		limited, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		stopped <- server.Shutdown(limited)
	}()
	fmt.Fprintf(out, "hello %s listens on port %s\n", version, port())
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("listen: %w", err)
	}
	return <-stopped
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s from version %s\n", greeting(), version)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	return mux
}

func check() error {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get("http://" + net.JoinHostPort("127.0.0.1", port()) + "/healthz")
	if err != nil {
		return fmt.Errorf("ask for the health: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask for the health: %s", response.Status)
	}
	return nil
}

func migrate(out io.Writer) error {
	for _, table := range []string{"customers", "orders"} {
		if _, err := fmt.Fprintf(out, "migrate to version %s: create table %s\n", version, table); err != nil {
			return err
		}
	}
	return nil
}
