package watch_test

import (
	"context"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/engine/watch"
)

func TestWhoWatchesMissesNothing(t *testing.T) {
	var mu sync.Mutex
	var w watch.Watchers
	ctx, cancel := context.WithCancel(t.Context())
	seen, ended := make(chan string), make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(ctx, nil, &mu, func() []string { return []string{"known"} }, func(id string) { seen <- id })
	}()
	if id := <-seen; id != "known" {
		t.Errorf("got %s", id)
	}
	for _, id := range []string{"a", "b"} {
		mu.Lock()
		w.Notify(id)
		w.Notify(id) // is told once, or twice
		mu.Unlock()
		if got := <-seen; got != id {
			t.Errorf("got %s, not %s", got, id)
		}
		for again := true; again; {
			select {
			case got := <-seen:
				again = got == id
			default:
				again = false
			}
		}
	}
	cancel()
	for {
		select {
		case <-seen:
		case <-ended:
			return
		}
	}
}

func TestWatchingEndsWithTheEngine(t *testing.T) {
	var mu sync.Mutex
	var w watch.Watchers
	closed := make(chan struct{})
	close(closed)
	w.Run(t.Context(), closed, &mu, func() []string { return nil }, func(string) {})
	w.Notify("nobody hears it")
}
