package host

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// Run starts a one-off task, or gives the one that has its id. It is stopped after o.Limit, or engine.OneOffLimit where that
// is zero or longer.
func (s *Supervisor) Run(_ context.Context, o engine.OneOff) (setops.Task, error) {
	limit := o.Limit
	if limit <= 0 || limit > engine.OneOffLimit {
		limit = engine.OneOffLimit
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return setops.Task{}, fmt.Errorf("run task %s: %w", o.ID, engine.ErrClosed)
	}
	if have := s.tasks[o.ID]; have != nil {
		if !have.OneOff() {
			return setops.Task{}, fmt.Errorf("run task %s: a generation has one of that id", o.ID)
		}
		return have.Task, nil
	}
	if err := s.admitLocked(o.Stage.ID, o.Fence); err != nil {
		return setops.Task{}, fmt.Errorf("run task %s: %w", o.ID, err)
	}
	t := s.newTask(setops.Task{
		ID: o.ID, StageID: o.Stage.ID, App: o.App, Release: o.Release, Digest: o.Container.Image.Digest, Tag: o.Tag,
		Status: setops.Provisioning, Desired: setops.Running, Health: setops.Unknown, CreatedAt: s.now(),
	}, factsOf(o.Container, o.Stage, o.StopTimeout, limit))
	t.container = o.Container
	t.expect(o.Console)
	if o.Note != "" {
		s.tell(t, o.Note)
	}
	s.add(t)
	s.wg.Go(func() { s.live(t) })
	s.notify(t.StageID)
	return t.Task, nil
}

// Stop ends a task. Its place in a generation is filled again.
func (s *Supervisor) Stop(_ context.Context, taskID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.task(taskID)
	if err != nil {
		return err
	}
	t.requestStop(verdict.ReasonStopped)
	s.changed(t)
	return nil
}

// Tell writes a line into the log of a task, unless its log is complete.
func (s *Supervisor) Tell(_ context.Context, taskID, line string) error {
	s.mu.Lock()
	t, err := s.task(taskID)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case <-t.done:
	default:
		s.tell(t, line)
	}
	return nil
}

// add makes a task known, drop forgets it. s.mu is held.
func (s *Supervisor) add(t *task) {
	s.tasks[t.ID] = t
	if s.onStage[t.StageID] == nil {
		s.onStage[t.StageID] = map[string]*task{}
	}
	s.onStage[t.StageID][t.ID] = t
}

func (s *Supervisor) drop(t *task) {
	delete(s.tasks, t.ID)
	delete(s.onStage[t.StageID], t.ID)
	if len(s.onStage[t.StageID]) == 0 {
		delete(s.onStage, t.StageID)
	}
}

// task finds a task. s.mu is held.
func (s *Supervisor) task(id string) (*task, error) {
	if t := s.tasks[id]; t != nil {
		return t, nil
	}
	return nil, setops.Refuse(setops.TaskDoesNotExist, "there is no task %s", id)
}

// List gives tasks, oldest first.
func (s *Supervisor) List(_ context.Context, stageID, app string) ([]setops.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []setops.Task
	for _, t := range s.onStage[stageID] {
		if app == "" || t.App == app {
			found = append(found, t.Task)
		}
	}
	slices.SortFunc(found, func(a, b setops.Task) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return found, nil
}

// Wait returns the task once it has ended and its log is complete.
func (s *Supervisor) Wait(ctx context.Context, taskID string) (setops.Task, error) {
	s.mu.Lock()
	t, err := s.task(taskID)
	s.mu.Unlock()
	if err != nil {
		return setops.Task{}, err
	}
	select {
	case <-t.done:
		return s.snapshot(t), nil
	case <-ctx.Done():
		return setops.Task{}, ctx.Err()
	case <-s.ctx.Done():
		return setops.Task{}, fmt.Errorf("wait for task %s: %w", taskID, engine.ErrClosed)
	}
}
