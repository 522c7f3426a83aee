package commit

import (
	"context"
	"sync"

	"github.com/setopsco/setops/internal/changeset"
)

// Progress is where a commit is.
type Progress struct {
	State       changeset.State
	Phase       changeset.Phase
	Done, Total int
	Failure     *changeset.Failure
}

// stream is the progress of one commit and everybody who waits for its next change.
type stream struct {
	mu      sync.Mutex
	now     Progress
	changed chan struct{} // closed at each change, then replaced
}

func (st *stream) set(change func(*Progress)) {
	st.mu.Lock()
	defer st.mu.Unlock()
	change(&st.now)
	close(st.changed)
	st.changed = make(chan struct{})
}

func (st *stream) get() (Progress, <-chan struct{}) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.now, st.changed
}

func (s *Service) open(c changeset.Commit) *stream {
	st := &stream{now: progressOf(c), changed: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams[c.ID] = st
	return st
}

func progressOf(c changeset.Commit) Progress {
	return Progress{State: c.State, Phase: c.Phase, Done: c.Done, Total: c.Total, Failure: c.Failure}
}

func (s *Service) stream(id string) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[id]
}

// failure gives the full failure of a commit that this process ran, log lines included; those are never stored.
func (s *Service) failure(id string) *changeset.Failure {
	if st := s.stream(id); st != nil {
		p, _ := st.get()
		return p.Failure
	}
	return nil
}

// Watch calls yield with the present progress and then at each change, until the commit has ended, yield says false or
// ctx ends. Changes that come faster than yield returns are given as one. Errors: CommitNotFound.
func (s *Service) Watch(ctx context.Context, stageID, id string, yield func(Progress) bool) error {
	c, err := s.Commit(ctx, stageID, id)
	if err != nil {
		return err
	}
	st := s.stream(id)
	if st == nil {
		yield(progressOf(c))
		return nil
	}
	for {
		now, changed := st.get()
		if !yield(now) || now.State != changeset.Running {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return context.Cause(s.ctx)
		}
	}
}
