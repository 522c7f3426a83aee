package commit

import (
	"context"

	"github.com/setopsco/setops/internal/setops"
)

// Hold lets no commit begin any more, refuses new ones with a temporary error, and returns when none runs in this process, or
// when ctx ends. Those that wait keep their places. What is left behind the commit point may go on: the next start repeats it.
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

func (s *Service) isHeld() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// accepts refuses new commits while they are held.
func (s *Service) accepts() error {
	if !s.isHeld() {
		return nil
	}
	return &setops.Error{
		Kind: setops.StateError, Code: setops.Overload, Temporary: true,
		Message: "the server is being upgraded and takes no commit just now; nothing was changed, try again in a moment",
	}
}

// begin and done count who runs commits. s.mu is held.
func (s *Service) begin() {
	if s.running == 0 {
		s.idle = make(chan struct{})
	}
	s.running++
}

func (s *Service) done() {
	if s.running--; s.running == 0 {
		close(s.idle)
	}
}

func (s *Service) finished() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done()
}
