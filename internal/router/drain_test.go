package router_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router"
)

// waiting is a backend whose answers end when the test says so.
func waiting(t *testing.T, id string) (up router.Upstream, release chan struct{}) {
	release = make(chan struct{})
	up, _ = backend(t, id, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first half, ")
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, "second half")
	})
	return up, release
}

func TestDrainWaitsForTheLastByte(t *testing.T) {
	f := newFront(t, router.Config{})
	old, release := waiting(t, "old")
	f.Set("stage", route(testHost, old))
	answered := f.inBackground(f.request(t, testHost, "/", nil))
	eventually(t, "a request is in flight", func() bool { return f.InFlight("old") == 1 })
	f.Set("stage", route(testHost, named(t, "new")))

	drained := make(chan error, 1)
	go func() { drained <- f.Drain(t.Context(), "old") }()
	if _, body := f.get(t, testHost); body != "new" {
		t.Errorf("%q answers after the swap", body)
	}
	select {
	case err := <-drained:
		t.Fatalf("drain ended with a request in flight: %v", err)
	default:
	}
	close(release)
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the slow answer was cut: %v", err)
	}
}

func TestDrainOfIdleAndUnknownUpstreamsReturnsAtOnce(t *testing.T) {
	f := newFront(t, router.Config{})
	f.Set("stage", route(testHost, named(t, "a")))
	f.get(t, testHost)
	f.Set("stage", nil)
	for _, id := range []string{"a", "never seen"} {
		if err := f.Drain(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
}

func TestDrainRefusesAnUpstreamInARoute(t *testing.T) {
	f := newFront(t, router.Config{})
	a, release := waiting(t, "a")
	defer close(release)
	f.Set("one", route(testHost, a))
	f.Set("two", route("two.localhost", a))
	f.Set("two", nil)
	if err := f.Drain(t.Context(), "a"); !errors.Is(err, router.ErrRouted) {
		t.Errorf("got %v", err)
	}

	// One that comes back while somebody waits for its end.
	_ = f.inBackground(f.request(t, testHost, "/", nil))
	eventually(t, "a request is in flight", func() bool { return f.InFlight("a") == 1 })
	f.Set("one", nil)
	drained := make(chan error, 1)
	go func() { drained <- f.Drain(t.Context(), "a") }()
	f.Set("one", route(testHost, a))
	if err := <-drained; !errors.Is(err, router.ErrRouted) {
		t.Errorf("got %v", err)
	}
}

func TestDrainLeavesOrdinaryRequestsAloneAtItsDeadline(t *testing.T) {
	f := newFront(t, router.Config{})
	old, release := waiting(t, "old")
	f.Set("stage", route(testHost, old))
	answered := f.inBackground(f.request(t, testHost, "/", nil))
	eventually(t, "a request is in flight", func() bool { return f.InFlight("old") == 1 })
	f.Set("stage", nil)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := f.Drain(ctx, "old"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := <-answered; err != nil {
		t.Errorf("the answer was cut: %v", err)
	}
}

func TestUpstreamThatComesBackKeepsItsCount(t *testing.T) {
	f := newFront(t, router.Config{})
	a, release := waiting(t, "a")
	f.Set("stage", route(testHost, a))
	answered := f.inBackground(f.request(t, testHost, "/", nil))
	eventually(t, "a request is in flight", func() bool { return f.InFlight("a") == 1 })
	f.Set("stage", nil)
	f.Set("stage", route(testHost, a))
	if n := f.InFlight("a"); n != 1 {
		t.Errorf("%d requests are in flight", n)
	}
	close(release)
	if err := <-answered; err != nil {
		t.Error(err)
	}
	eventually(t, "nothing is in flight", func() bool { return f.InFlight("a") == 0 })
}
