package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// pushTracker knows the writing requests that are under way, so that a
// repository can be removed without one of them bringing parts of it back.
type pushTracker struct {
	mu       sync.Mutex
	running  map[*push]struct{}
	removing map[string]int // prefix: how many removals of it are under way
}

// push is one writing request.
type push struct {
	repository string
	interrupt  func()
	done       chan struct{}
	stopped    bool // guarded by pushTracker.mu
}

func newPushTracker() *pushTracker {
	return &pushTracker{running: map[*push]struct{}{}, removing: map[string]int{}}
}

// begin registers a writing request; nil while its repository is removed.
// Rights must be checked after begin: then a push that began before a removal
// is stopped by it, and one that began later finds its app gone.
func (t *pushTracker) begin(repository string, w http.ResponseWriter) *push {
	t.mu.Lock()
	defer t.mu.Unlock()
	for prefix := range t.removing {
		if isWithin(repository, prefix) {
			return nil
		}
	}
	p := &push{repository: repository, done: make(chan struct{})}
	p.interrupt = func() {
		// A read of the body that waits for the client returns at once. Where
		// the connection has no deadlines, the removal waits for the client.
		_ = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
	}
	t.running[p] = struct{}{}
	return p
}

func (t *pushTracker) end(p *push) {
	t.mu.Lock()
	delete(t.running, p)
	t.mu.Unlock()
	close(p.done)
}

func (t *pushTracker) wasStopped(p *push) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return p.stopped
}

// holdOff stops the pushes below prefix, waits for them, and refuses new ones
// until resume is called. It fails only when ctx ends.
func (t *pushTracker) holdOff(ctx context.Context, prefix string) error {
	for _, p := range t.stop(prefix) {
		select {
		case <-p.done:
		case <-ctx.Done():
			t.resume(prefix)
			return fmt.Errorf("wait for pushes to %s: %w", p.repository, context.Cause(ctx))
		}
	}
	return nil
}

// whenIdle calls f while nobody pushes below prefix; nobody can begin to
// meanwhile. Where somebody does, it leaves it.
func (t *pushTracker) whenIdle(prefix string, f func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for p := range t.running {
		if isWithin(p.repository, prefix) {
			return nil
		}
	}
	return f()
}

func (t *pushTracker) resume(prefix string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.removing[prefix]--; t.removing[prefix] == 0 {
		delete(t.removing, prefix)
	}
}

func (t *pushTracker) stop(prefix string) []*push {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removing[prefix]++
	var stopped []*push
	for p := range t.running {
		if isWithin(p.repository, prefix) {
			p.stopped = true
			p.interrupt()
			stopped = append(stopped, p)
		}
	}
	return stopped
}

func isWithin(repository, prefix string) bool {
	return repository == prefix || strings.HasPrefix(repository, prefix+"/")
}
