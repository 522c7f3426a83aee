package host

import (
	"fmt"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/logfile"
	"github.com/setopsco/setops/internal/setops"
)

// task is a task and its supervision. What it embeds is changed by the goroutine of the task alone, save Desired, and
// under the supervisor's lock.
type task struct {
	setops.Task
	facts
	container engine.Container // for the start; empty for an adopted task
	filled    vacancy          // the place that it was made for
	gen       *generation      // nil: a one-off task

	log   *logfile.Writer // nil: it could not be opened
	poke  chan struct{}   // the generation's settings have changed
	stop  chan struct{}   // closed: it shall end
	begun chan struct{}   // closed: its container was started, or never will be
	done  chan struct{}   // closed: it has ended, and its log is complete

	visit // of who joins it

	// Guarded by the supervisor's lock.
	stopReason string // set when stop is closed
	doomed     string // why it is to be replaced once another can take its place; empty: it is not
}

func (s *Supervisor) newTask(t setops.Task, f facts) *task {
	n := &task{
		Task: t, facts: f,
		poke: make(chan struct{}, 1), stop: make(chan struct{}), begun: make(chan struct{}), done: make(chan struct{}),
	}
	if !toStart(t.Status) {
		close(n.begun)
	}
	var err error
	opts := logfile.Options{SegmentBytes: s.cfg.Logs.SegmentBytes, TotalBytes: s.cfg.Logs.AppBytes}
	if n.log, err = logfile.Open(s.logs.AppDir(t.StageID, t.App), t.ID, opts); err != nil {
		s.cfg.Logger.Warn("a task goes on without a log", "task", t.ID, "error", err)
	}
	return n
}

// toStart reports whether the container of a task is still to be started.
func toStart(status setops.TaskStatus) bool {
	return status == setops.Provisioning || status == setops.Pending
}

// stopping reports whether the task was told to end.
func (t *task) stopping() bool { return t.stopReason != "" }

// active reports whether the task counts for its generation.
func (t *task) active() bool { return !t.stopping() && !t.Status.Ended() && t.doomed == "" }

// requestStop tells the task to end; the first reason stays. s.mu is held.
func (t *task) requestStop(reason string) {
	if t.stopping() || t.Status.Ended() {
		return
	}
	t.stopReason = reason
	t.Desired = setops.Stopped
	close(t.stop)
}

// change lets its goroutine change the task: it is logged and recorded first, then seen by others. Then is called under
// the lock and may be nil.
func (s *Supervisor) change(t *task, alter func(*setops.Task), then func()) {
	s.mu.Lock()
	next := t.Task
	s.mu.Unlock()
	alter(&next)
	if next.Status != t.Status {
		s.logStatus(t, next)
	}
	if err := s.records.Write(next.ID, next); err != nil {
		s.cfg.Logger.Warn("a task goes on without a record", "task", t.ID, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if next.Desired == setops.Running {
		next.Desired = t.Desired
	}
	if toStart(t.Status) && !toStart(next.Status) {
		close(t.begun)
	}
	t.Task = next
	if then != nil {
		then()
	}
	s.changed(t)
}

func (s *Supervisor) snapshot(t *task) setops.Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.Task
}

// status changes nothing but the status.
func (s *Supervisor) status(t *task, status setops.TaskStatus) {
	s.change(t, func(n *setops.Task) { n.Status = status }, nil)
}

func (s *Supervisor) logStatus(t *task, next setops.Task) {
	line := fmt.Sprintf("Task status is %s, desired status is %s", next.Status, next.Desired)
	if next.Status == setops.Stopped {
		line += fmt.Sprintf(" due to '%s'", next.Reason)
	}
	s.tell(t, line)
}

// tell writes a line of ours into the task's log.
func (s *Supervisor) tell(t *task, line string) { s.write(t, engine.SourceSystem, line) }

func (s *Supervisor) write(t *task, source, line string) {
	if t.log == nil {
		return
	}
	if err := t.log.Append(s.now(), source, line); err != nil {
		s.cfg.Logger.Warn("a line is missing in a log", "task", t.ID, "error", err)
	}
}
