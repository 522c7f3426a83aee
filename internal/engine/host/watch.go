package host

import "context"

// watcher collects the stages that have changed until its goroutine takes them. The supervisor's lock guards it.
type watcher struct {
	stages map[string]struct{}
	wake   chan struct{}
}

// notify tells all watchers. s.mu is held.
func (s *Supervisor) notify(stageID string) {
	for w := range s.watchers {
		w.stages[stageID] = struct{}{}
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// Watch calls changed after changes, until ctx ends or the supervisor is closed; it returns then. It begins with a call
// for every stage that has tasks, so that a caller misses nothing.
func (s *Supervisor) Watch(ctx context.Context, changed func(stageID string)) {
	w := &watcher{stages: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	s.mu.Lock()
	s.watchers[w] = struct{}{}
	for _, t := range s.tasks {
		w.stages[t.StageID] = struct{}{}
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.watchers, w)
		s.mu.Unlock()
	}()
	for {
		s.mu.Lock()
		stages := w.stages
		w.stages = map[string]struct{}{}
		s.mu.Unlock()
		for id := range stages {
			if ctx.Err() != nil {
				return
			}
			changed(id)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.ctx.Done():
			return
		case <-w.wake:
		}
	}
}
