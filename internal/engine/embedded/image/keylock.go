//go:build linux

package image

import (
	"context"
	"sync"
)

// keyLock is a mutex per key. Unlike a shared call it leaves each caller its own context: when the one that works gives
// up, the next takes over.
type keyLock struct {
	mu   sync.Mutex
	held map[string]*keyEntry
}

type keyEntry struct {
	token   chan struct{} // holds one value while the key is locked
	callers int
}

// lock waits for the key until ctx ends. The returned function unlocks it.
func (l *keyLock) lock(ctx context.Context, key string) (unlock func(), err error) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*keyEntry{}
	}
	e := l.held[key]
	if e == nil {
		e = &keyEntry{token: make(chan struct{}, 1)}
		l.held[key] = e
	}
	e.callers++
	l.mu.Unlock()

	select {
	case e.token <- struct{}{}:
		return func() { <-e.token; l.leave(key, e) }, nil
	case <-ctx.Done():
		l.leave(key, e)
		return nil, ctx.Err()
	}
}

func (l *keyLock) leave(key string, e *keyEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.callers--; e.callers == 0 {
		delete(l.held, key)
	}
}
