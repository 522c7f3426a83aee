// Package watch tells those who watch an engine which stages have changed. Start with Watchers.
package watch

import (
	"context"
	"sync"
)

// Watchers are those of one engine, whose lock guards them: each method but Run is called under it. The zero value has none.
type Watchers struct{ all map[*watcher]struct{} }

// watcher collects the stages that have changed until its goroutine takes them.
type watcher struct {
	stages map[string]struct{}
	wake   chan struct{}
}

// Notify tells all watchers that a stage has changed.
func (w *Watchers) Notify(stageID string) {
	for one := range w.all {
		one.stages[stageID] = struct{}{}
		select {
		case one.wake <- struct{}{}:
		default:
		}
	}
}

// Run calls changed after changes, until ctx ends or closed does; it returns then. It begins with a call for every stage that
// known gives, which is called under the lock. Calls come one after the other.
func (w *Watchers) Run(ctx context.Context, closed <-chan struct{}, lock sync.Locker, known func() []string, changed func(stageID string)) {
	one := &watcher{stages: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	lock.Lock()
	if w.all == nil {
		w.all = map[*watcher]struct{}{}
	}
	w.all[one] = struct{}{}
	for _, id := range known() {
		one.stages[id] = struct{}{}
	}
	lock.Unlock()
	defer func() {
		lock.Lock()
		delete(w.all, one)
		lock.Unlock()
	}()
	for {
		for id := range one.take(lock) {
			if ctx.Err() != nil {
				return
			}
			changed(id)
		}
		select {
		case <-ctx.Done():
			return
		case <-closed:
			return
		case <-one.wake:
		}
	}
}

func (w *watcher) take(lock sync.Locker) map[string]struct{} {
	lock.Lock()
	defer lock.Unlock()
	stages := w.stages
	w.stages = map[string]struct{}{}
	return stages
}
