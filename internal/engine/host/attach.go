package host

import (
	"context"
	"fmt"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// Attach runs a program inside a task that runs.
func (s *Supervisor) Attach(ctx context.Context, taskID string, argv []string, streams engine.Streams) (int, error) {
	s.mu.Lock()
	t, err := s.task(taskID)
	if err == nil && (t.StartedAt.IsZero() || t.Status.Ended()) {
		err = setops.Refuse(setops.TaskDoesNotExist, "task %s does not run: its status is %s", taskID, t.Status)
	}
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	code, err := s.cfg.Runtime.Attach(ctx, taskID, argv, streams)
	if err != nil && s.ctx.Err() != nil {
		return 0, fmt.Errorf("attach to task %s: %w", taskID, errClosed)
	}
	return code, err
}
