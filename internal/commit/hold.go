package commit

import (
	"context"

	"github.com/setopsco/setops/internal/setops"
)

// Hold refuses new commits, with a temporary error, and returns when none runs in this process any more, or when ctx ends.
// What is left behind the commit point may go on: the next start repeats it.
func (s *Service) Hold(ctx context.Context) error {
	s.mu.Lock()
	s.held = true
	idle := s.idle
	s.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Release takes commits again after Hold.
func (s *Service) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = false
}

// begin counts a commit, unless commits are held.
func (s *Service) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held {
		return &setops.Error{
			Kind: setops.StateError, Code: setops.Overload, Temporary: true,
			Message: "the server is being upgraded and takes no commit just now; nothing was changed, try again in a moment",
		}
	}
	if s.running == 0 {
		s.idle = make(chan struct{})
	}
	s.running++
	return nil
}

func (s *Service) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running--; s.running == 0 {
		close(s.idle)
	}
}
