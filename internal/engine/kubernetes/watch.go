package kubernetes

import "context"

// watcher collects the stages that have changed until its goroutine takes them. The engine's lock guards it.
type watcher struct {
	stages map[string]struct{}
	wake   chan struct{}
}

// notify tells all watchers. e.mu is held.
func (e *Engine) notify(stageID string) {
	for w := range e.watchers {
		w.stages[stageID] = struct{}{}
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// Watch calls changed after changes, until ctx ends or the engine is closed. It begins with a call for every stage that has
// tasks.
func (e *Engine) Watch(ctx context.Context, changed func(stageID string)) {
	w := &watcher{stages: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	e.mu.Lock()
	e.watchers[w] = struct{}{}
	for id := range e.onStage {
		w.stages[id] = struct{}{}
	}
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.watchers, w)
		e.mu.Unlock()
	}()
	for {
		for _, id := range w.take(e) {
			if ctx.Err() != nil {
				return
			}
			changed(id)
		}
		select {
		case <-ctx.Done():
			return
		case <-e.ctx.Done():
			return
		case <-w.wake:
		}
	}
}

func (w *watcher) take(e *Engine) (ids []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range w.stages {
		ids = append(ids, id)
	}
	clear(w.stages)
	return ids
}
