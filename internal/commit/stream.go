package commit

import (
	"context"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/changeset"
)

// Progress is where a commit is.
type Progress struct {
	State       changeset.State
	Phase       changeset.Phase
	Done, Total int
	Ahead       int    // of a queued commit: how many of its stage come before it
	Task        string // the pre-activation task that was started last, where this process runs the commit
	Failure     *changeset.Failure
}

func progressOf(c changeset.Commit) Progress {
	return Progress{State: c.State, Phase: c.Phase, Done: c.Done, Total: c.Total, Ahead: c.Ahead, Failure: c.Failure}
}

// Numbers of events. They follow from where a commit is, so that every server gives the same event the same number.
const (
	eventQueued       = 1
	eventInitializing = 2
	eventPlanning     = 3
	eventApplying     = 4 // and one more for each step that is done; then come undoing and the end
)

// Number is the place of p among the events of its commit.
func (p Progress) Number() int {
	switch {
	case p.State == changeset.Queued:
		return eventQueued
	case p.State.Ended():
		return eventApplying + p.Total + 2
	case p.Phase == changeset.Undoing:
		return eventApplying + p.Total + 1
	case p.Phase == changeset.Applying:
		return eventApplying + p.Done
	case p.Phase == changeset.Planning:
		return eventPlanning
	}
	return eventInitializing
}

// news says whether p has something that the event of the same number, which was shown, had not.
func (p Progress) news(shown Progress) bool {
	return p.State == changeset.Queued && p != shown || p.State == changeset.Running && p.Task != shown.Task
}

// since gives the events behind number last, up to p.
func (p Progress) since(last int) []Progress {
	var all []Progress
	for n := last + 1; n < p.Number(); n++ {
		if e, there := p.before(n); there {
			all = append(all, e)
		}
	}
	return append(all, p)
}

// before gives the event of a number below that of p; there is none of some, as of steps that were never done.
func (p Progress) before(n int) (e Progress, there bool) {
	e = Progress{State: changeset.Running, Total: p.Total}
	switch planned := p.Total > 0; {
	case n == eventInitializing:
		e.Phase, e.Total = changeset.Initializing, 0
		return e, p.Phase != changeset.Waiting // it was given up before its turn
	case n == eventPlanning:
		e.Phase, e.Total = changeset.Planning, 0
		return e, planned || p.Phase == changeset.Applying || p.State == changeset.Done
	case planned && n >= eventApplying && n <= eventApplying+p.Done:
		e.Phase, e.Done = changeset.Applying, n-eventApplying
		return e, true
	}
	return e, false
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

// open gives the stream of a commit, as the commit is now.
func (s *Service) open(c changeset.Commit) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[c.ID]
	if st == nil {
		st = &stream{changed: make(chan struct{})}
		s.streams[c.ID] = st
		st.now = progressOf(c)
		return st
	}
	st.set(func(p *Progress) {
		if !p.State.Ended() && progressOf(c).Number() > p.Number() {
			*p = progressOf(c)
		}
	})
	return st
}

func (s *Service) stream(id string) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[id]
}

// How long, and of how many commits, the log lines of failures are kept for somebody who asks again.
const (
	rememberFor  = 10 * time.Minute
	rememberMost = 256
)

// failed is a commit whose failure is remembered.
type failed struct {
	id    string
	until time.Time
}

// remember lets go of the stream of a commit that does not run here any more: all but the log lines of a failure is in the
// store. s.mu is held.
func (s *Service) remember(t *turn) {
	if now, _ := t.stream.get(); now.Failure == nil {
		delete(s.streams, t.ID)
		return
	}
	now := s.Now()
	s.failed = append(s.failed, failed{t.ID, now.Add(rememberFor)})
	s.forgetLocked(now)
}

func (s *Service) forget(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetLocked(now)
}

func (s *Service) forgetLocked(now time.Time) {
	for len(s.failed) > rememberMost || len(s.failed) > 0 && !s.failed[0].until.After(now) {
		if id := s.failed[0].id; s.turns[id] == nil {
			delete(s.streams, id)
		}
		s.failed = s.failed[1:]
	}
}

// failure gives the full failure of a commit that this process ran, log lines included; those are never stored.
func (s *Service) failure(id string) *changeset.Failure {
	if st := s.stream(id); st != nil {
		p, _ := st.get()
		return p.Failure
	}
	return nil
}

// stageMoved wakes those whose commits wait on a stage. s.mu is held.
func (s *Service) stageMoved(stageID string) {
	if c := s.moved[stageID]; c != nil {
		close(c)
		delete(s.moved, stageID)
	}
}

// moves says that a commit of a stage may have ended elsewhere.
func (s *Service) moves(stageID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stageMoved(stageID)
}

func (s *Service) stageMoves(stageID string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moved[stageID] == nil {
		s.moved[stageID] = make(chan struct{})
	}
	return s.moved[stageID]
}

// Watch calls yield with each event of a commit behind that of number last, as it comes, until the commit has ended, yield
// says false or ctx ends; with last 0, or a number that no event of it has had yet, it begins with where the commit is. Errors: CommitNotFound.
func (s *Service) Watch(ctx context.Context, stageID, id string, last int, yield func(Progress) bool) error {
	c, err := s.Commit(ctx, stageID, id)
	if err != nil {
		return err
	}
	id = c.ID
	shown := Progress{}
	if last < 0 || last > progressOf(c).Number() { // it is no number of this commit
		last = 0
	}
	for {
		moved := s.stageMoves(stageID)
		now, changed, err := s.present(ctx, stageID, id)
		if err != nil {
			return err
		}
		events := []Progress{now}
		if last > 0 {
			events = now.since(last)
		}
		for _, e := range events {
			if (e.Number() > last || e.news(shown)) && !yield(e) {
				return nil
			}
		}
		if last, shown = now.Number(), now; now.State.Ended() {
			return nil
		}
		if err := s.wait(ctx, changed, moved); err != nil {
			return err
		}
	}
}

// present is where a commit is, and a channel that is closed when that changes, where this process would know.
func (s *Service) present(ctx context.Context, stageID, id string) (Progress, <-chan struct{}, error) {
	s.mu.Lock()
	t, st := s.turns[id], s.streams[id]
	s.mu.Unlock()
	if st != nil {
		if p, changed := st.get(); t != nil || p.State.Ended() {
			return p, changed, nil
		}
	}
	c, ok, err := s.Store.Where(ctx, stageID, id)
	if err == nil && !ok {
		err = noCommit(id)
	}
	return progressOf(c), nil, err
}

// askAgain is how often a commit is looked at that runs in another process.
const askAgain = 500 * time.Millisecond

// wait returns when something may have changed.
func (s *Service) wait(ctx context.Context, changed, moved <-chan struct{}) error {
	var again <-chan time.Time
	if changed == nil {
		timer := time.NewTimer(askAgain)
		defer timer.Stop()
		again = timer.C
	}
	select {
	case <-changed:
	case <-moved:
	case <-again:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
	return nil
}
