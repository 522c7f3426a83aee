package handover_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/handover"
)

// role tells this program, started again, which new process to be.
const role = "HANDOVER_TEST_ROLE"

func TestMain(m *testing.M) {
	if r := os.Getenv(role); r != "" {
		os.Exit(child(r))
	}
	os.Exit(m.Run())
}

// childLife bounds a child that nobody ends.
const childLife = time.Minute

func child(r string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, childLife)
	defer cancel()
	if r == "exits at once" {
		return 3
	}
	if r == "is stubborn" { // as a program that knows nothing of handovers, and of signals
		signal.Ignore(syscall.SIGTERM)
		time.Sleep(childLife)
	}
	taker, err := handover.Inherit(ctx, handover.Limits{}, slog.New(slog.DiscardHandler))
	if err != nil || taker == nil {
		return 4
	}
	if r == "refuses its configuration" {
		return 5
	}
	if r == "hangs while it prepares" {
		<-ctx.Done()
		return 6
	}
	if r == "dies while work settles" {
		// What is behind prepared is not sent before the old core is stopped: the time is over before.
		ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		_ = taker.Prepared(ctx)
		return 7
	}
	if r == "is stopped while it opens" {
		opening, stop := context.WithCancel(ctx)
		err := taker.Prepared(opening)
		stop()
		if errors.Join(err, taker.Close()) != nil {
			return 14
		}
		return 0
	}
	if err := taker.Prepared(ctx); err != nil {
		return 8
	}
	switch r {
	case "dies while it opens":
		return 9
	case "hangs while it opens":
		<-ctx.Done()
		return 10
	case "serves":
		return serve(ctx, taker)
	}
	return 11
}

// serve answers at each socket that it is told of: who it is, whether the old process is gone, and how to end.
func serve(ctx context.Context, taker *handover.Taker) int {
	ctx, end := context.WithCancel(ctx)
	defer end()
	failed := make(chan error, 2)
	var servers []*http.Server
	for key := range strings.SplitSeq(os.Getenv("HANDOVER_TEST_KEYS"), ",") {
		l, err := taker.Sockets.Listen(key, func() (net.Listener, error) { return nil, errors.New("it was not inherited") })
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 12
		}
		mux := http.NewServeMux()
		mux.HandleFunc("/pid", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getpid()) })
		mux.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, taker.Wait(r.Context())) })
		mux.HandleFunc("/end", func(http.ResponseWriter, *http.Request) { end() })
		s := &http.Server{Handler: mux}
		servers = append(servers, s)
		go func() { failed <- s.Serve(l) }()
	}
	taker.Ready()
	select {
	case err := <-failed:
		fmt.Fprintln(os.Stderr, err)
		return 13
	case <-ctx.Done():
		for _, s := range servers { // whoever asked for the end is answered
			s.Shutdown(context.Background()) //nolint:errcheck // its listener may be closed
		}
		return 0
	}
}
