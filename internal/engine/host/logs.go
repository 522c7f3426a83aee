package host

import (
	"context"

	"github.com/setopsco/setops/internal/engine"
)

// ReadLogs reads what tasks wrote and what was said of them.
func (s *Supervisor) ReadLogs(ctx context.Context, q engine.LogQuery, yield func(engine.LogLine) bool) error {
	return s.logs.Read(ctx, q, yield)
}

// logComplete gives a channel that is closed when nothing more comes into the log of a task.
func (s *Supervisor) logComplete(taskID string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tasks[taskID]; t != nil {
		return t.done
	}
	return nil
}
