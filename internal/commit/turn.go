package commit

import (
	"context"
	"errors"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// turn is a commit that runs in this process.
type turn struct {
	changeset.Commit
	stage  setops.StageRef
	stream *stream
	owned  context.Context // ends when the server stops or has lost the lease: then nothing of the commit may be touched
	work   context.Context // ends besides when the commit is cancelled: then it is undone
	stop   context.CancelCauseFunc
}

// lead has f run a commit, and keeps its lease meanwhile.
func (s *Service) lead(stage setops.StageRef, c changeset.Commit, f func(*turn)) {
	owned, lose := context.WithCancelCause(s.ctx)
	work, stop := context.WithCancelCause(owned)
	defer stop(nil)
	t := &turn{Commit: c, stage: stage, stream: s.open(c), owned: owned, work: work, stop: stop}
	if c.Cancelled != "" {
		stop(changeset.ErrCancelled)
	}
	s.enter(t)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		s.renew(t, lose)
	}()
	f(t)
	lose(nil)
	<-renewed
	s.leave(t)
}

func (s *Service) enter(t *turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns[t.ID] = t
	s.stageMoved(t.StageID)
}

func (s *Service) leave(t *turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.turns, t.ID)
	s.remember(t)
	s.stageMoved(t.StageID)
}

// renews is how often a lease is renewed before it would be over.
const renews = 4

// renew keeps the lease of a commit until its turn is over, and hears from other servers that it was cancelled. Where the store
// does not answer, a server that shares it gives up before another may take over.
func (s *Service) renew(t *turn, lose context.CancelCauseFunc) {
	ticker := time.NewTicker(s.Lease / renews)
	defer ticker.Stop()
	until := t.Lease.Until
	for {
		select {
		case <-t.owned.Done():
			return
		case <-ticker.C:
		}
		next := s.Now().Add(s.Lease)
		limited, cancel := context.WithTimeout(t.owned, s.Lease/renews)
		by, err := s.Store.Renew(limited, t.Commit, next)
		cancel()
		switch {
		case err == nil:
			until = next
		case errors.Is(err, changeset.ErrLeaseLost), s.Shared && !s.Now().Add(s.Lease/renews).Before(until):
			lose(changeset.ErrLeaseLost)
		}
		if by != "" {
			t.stop(changeset.ErrCancelled)
		}
	}
}

// lost reports that the commit is another process's by now, or the next start's.
func (t *turn) lost(err error) bool {
	return t.owned.Err() != nil || errors.Is(err, changeset.ErrLeaseLost) || errors.Is(err, engine.ErrFenced)
}
