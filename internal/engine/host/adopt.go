package host

import (
	"context"
	"errors"
	"fmt"

	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// adopt takes over what an earlier process left: containers, whether they run or have ended meanwhile, and records of
// tasks whose container is gone.
func (s *Supervisor) adopt(ctx context.Context) error {
	known, err := s.records.All()
	if err != nil {
		return err
	}
	found, err := s.cfg.Runtime.List(ctx)
	if err != nil {
		return fmt.Errorf("list containers: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range found {
		record, recorded := known[f.ID]
		if s.adoptContainer(f, record, recorded) {
			delete(known, f.ID)
		}
	}
	var errs []error
	for id, record := range known {
		if record.ID != id {
			errs = append(errs, s.records.Remove(id))
			continue
		}
		s.adoptRecord(record)
	}
	return errors.Join(errs...)
}

// adoptContainer takes over a container. What its record says wins over its labels, as far as they tell the same. It reports
// false for one without labels, as of a process that died while it made it: there is nothing to go on with.
func (s *Supervisor) adoptContainer(f Found, record setops.Task, recorded bool) bool {
	labelled, facts, ours := taskOf(f.ID, f.Labels)
	if !ours {
		s.cfg.Logger.Warn("a container without labels is removed", "container", f.ID)
		s.wg.Go(func() {
			if err := s.cfg.Runtime.Remove(s.ctx, f.ID); err != nil {
				s.cfg.Logger.Warn("a container could not be removed", "container", f.ID, "error", err)
			}
		})
		return false
	}
	if !recorded || record.ID != f.ID {
		record = labelled
	}
	if !f.StartedAt.IsZero() {
		record.StartedAt, record.Address = f.StartedAt.UTC(), address(f.IP, facts.port)
	}
	t := s.newTask(record, facts)
	s.stages[facts.stage.ID] = facts.stage
	s.add(t)
	if facts.console != "" {
		t.requestStop(verdict.ReasonDeserted)
	}
	if record.Generation != "" {
		s.join(t)
	}
	s.wg.Go(func() { s.goOn(t, f) })
	return true
}

// goOn leads an adopted task on from where it is.
func (s *Supervisor) goOn(t *task, f Found) {
	switch {
	case t.Status == setops.Stopped:
		s.finish(t, &end{reason: t.Reason})
	case f.StartedAt.IsZero() && !f.Running:
		s.finish(t, &end{reason: reasonUnbegun, unrun: reasonUnbegun, failure: &verdict.Failure{Cause: reasonUnbegun, Fault: true}})
	case t.Status.Starting() && t.Status != setops.Activating:
		s.status(t, setops.Activating)
		s.finish(t, s.attend(t))
	case t.Status == setops.Deprovisioning:
		s.finish(t, &end{reason: t.Reason})
	default:
		if s.snapshot(t).Desired == setops.Stopped {
			s.mu.Lock()
			t.requestStop(t.Reason)
			s.mu.Unlock()
		}
		s.finish(t, s.attend(t))
	}
}

// join makes t one of its generation's. s.mu is held.
func (s *Supervisor) join(t *task) {
	g := s.generations[t.Generation]
	if g == nil {
		g = newGeneration(t.Generation, t.stage, t.App)
		s.generations[t.Generation] = g
	}
	g.tasks = append(g.tasks, t)
	t.gen = g
}

// adoptRecord takes over a task without a container: it has ended, or vanished with the machine.
func (s *Supervisor) adoptRecord(record setops.Task) {
	t := &task{Task: record, done: make(chan struct{}), stop: make(chan struct{})}
	s.add(t)
	if t.Status == setops.Stopped {
		close(t.done)
		return
	}
	reason := verdict.ReasonLost
	if t.StartedAt.IsZero() {
		reason = reasonUnbegun
	}
	if t.Status == setops.Deprovisioning {
		reason = t.Reason
	}
	t.Fault = t.Fault || t.Status != setops.Deprovisioning
	t.Status, t.Desired, t.Reason, t.Address = setops.Stopped, setops.Stopped, reason, ""
	if t.StoppedAt.IsZero() {
		t.StoppedAt = s.now()
	}
	if err := s.records.Write(t.ID, t.Task); err != nil {
		s.cfg.Logger.Warn("a task goes on without a record", "task", t.ID, "error", err)
	}
	s.sayGoodbye(t)
	close(t.done)
}

// sayGoodbye writes the last line into the log of a task that vanished.
func (s *Supervisor) sayGoodbye(t *task) {
	gone := s.newTask(t.Task, facts{})
	s.logStatus(gone, gone.Task)
	if gone.log != nil {
		gone.log.Close() //nolint:errcheck // every line was written by then
	}
}
