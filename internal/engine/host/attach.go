package host

import (
	"context"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// attachWait is how long a program waits for its task to begin: an image may have to be unpacked. A task that waits out its
// back-off takes longer.
const attachWait = 10 * time.Second

// Attach runs a program inside a task that runs, or is about to.
func (s *Supervisor) Attach(ctx context.Context, taskID string, argv []string, streams engine.Streams) (int, error) {
	if err := s.awaitStart(ctx, taskID); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	code, err := s.cfg.Runtime.Attach(ctx, taskID, argv, streams)
	if err != nil && s.ctx.Err() != nil {
		return 0, fmt.Errorf("attach to task %s: %w", taskID, engine.ErrClosed)
	}
	return code, err
}

// awaitStart returns once the task runs.
func (s *Supervisor) awaitStart(ctx context.Context, taskID string) error {
	s.mu.Lock()
	t, err := s.task(taskID)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	late := time.NewTimer(attachWait)
	defer late.Stop()
	select {
	case <-t.begun:
	case <-late.C:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return fmt.Errorf("attach to task %s: %w", taskID, engine.ErrClosed)
	}
	if now := s.snapshot(t); now.StartedAt.IsZero() || now.Status.Ended() {
		return setops.Refuse(setops.TaskDoesNotExist, "task %s does not run: its status is %s", taskID, now.Status)
	}
	return nil
}
