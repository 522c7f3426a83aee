package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// How the program of an interactive task is joined, as its labels say it.
const (
	consolePipe     = "pipe"
	consoleTerminal = "terminal"
)

// visit is what a task has that is joined. Its zero value is that of all others.
type visit struct {
	wanted  *engine.Console
	created chan struct{} // closed: its container waits
	joined  chan struct{} // closed: who runs it gets what it writes
	taken   bool          // guarded by the supervisor's lock: somebody joins it, or has
}

// expect makes t wait for somebody, before its life begins.
func (t *task) expect(c *engine.Console) {
	if c == nil {
		return
	}
	t.visit = visit{wanted: c, created: make(chan struct{}), joined: make(chan struct{})}
	t.console = consolePipe
	if c.Terminal {
		t.console = consoleTerminal
	}
}

// awaitJoin returns once the task's program may begin: at once, where it is not to be joined. One that nobody joins is told to end.
func (s *Supervisor) awaitJoin(ctx context.Context, t *task) error {
	if t.wanted == nil {
		return nil
	}
	close(t.created)
	late := time.NewTimer(engine.JoinLimit)
	defer late.Stop()
	select {
	case <-t.joined:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		s.tellToEnd(t, verdict.ReasonUnjoined)
		return fmt.Errorf("wait to be joined: %s", verdict.ReasonUnjoined)
	}
}

// tellToEnd lets a task know that its time has come.
func (s *Supervisor) tellToEnd(t *task, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t.requestStop(reason)
	s.changed(t)
}

// Join carries the streams of the program of an interactive task, and gives the task once it has ended.
func (s *Supervisor) Join(ctx context.Context, taskID string, streams engine.Streams) (setops.Task, error) {
	t, err := s.take(taskID)
	if err != nil {
		return setops.Task{}, err
	}
	streams.Terminal, streams.Size = t.wanted.Terminal, t.wanted.Size
	if err := s.carry(ctx, t, streams); err != nil && s.ctx.Err() == nil {
		s.tellToEnd(t, verdict.ReasonLeft)
		if !errors.Is(err, context.Canceled) {
			s.cfg.Logger.Warn("a joined task is cut off", "task", t.ID, "error", err)
		}
	}
	return s.Wait(ctx, taskID)
}

// take lets one join a task, once.
func (s *Supervisor) take(taskID string) (*task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.task(taskID)
	switch {
	case err != nil:
		return nil, err
	case t.wanted == nil:
		return nil, verdict.NotJoinable(taskID)
	case t.taken:
		return nil, verdict.AlreadyJoined(taskID)
	}
	t.taken = true
	return t, nil
}

// carry returns nil once the program has ended and all was passed on, or it never began.
func (s *Supervisor) carry(ctx context.Context, t *task, streams engine.Streams) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	select {
	case <-t.created:
	case <-t.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	s.wg.Go(func() { // one that could not be started after all says nothing to who has joined it
		select {
		case <-t.begun:
			if s.snapshot(t).StartedAt.IsZero() {
				cancel()
			}
		case <-ctx.Done():
		}
	})
	return s.cfg.Runtime.Join(ctx, t.ID, streams, sync.OnceFunc(func() { close(t.joined) }))
}
