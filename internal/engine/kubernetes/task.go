package kubernetes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/logfile"
	"github.com/setopsco/setops/internal/setops"
)

// task is one run of a pod's container. What it embeds is changed by its attendant alone, under the engine's lock.
type task struct {
	setops.Task
	facts
	visit
	id, dir  string      // of its log
	gen      *generation // nil: a one-off task
	log      *logfile.Writer
	shipping bool
	cut      context.CancelFunc // ends following its log
	news     chan struct{}      // there are some of its pod
	shipped  chan struct{}      // closed: all that it wrote is in its log

	ended chan struct{} // closed: the container has ended, or never will run
	begun chan struct{} // closed: it was started, or never will be
	done  chan struct{} // closed: it has ended, and its log is complete

	stopReason string // why it was told to end; empty: it was not
	judged     bool   // its failure to get ready counts already
	drained    bool   // nothing is in flight to it, and its generation is about to be removed
}

// facts are what holds for a task all its life, as far as setops.Task does not say it.
type facts struct {
	namespace, pod string
	port, memory   int
	stopTimeout    time.Duration
	limit          time.Duration // one-off tasks only
	console        string        // object.ConsolePipe or ConsoleTerminal for a task that is joined
}

// taskID names a run of a pod: the first one by the pod's uid, later ones by a hash of it and their number.
func taskID(podUID string, run int) string {
	uid := strings.ReplaceAll(podUID, "-", "")
	if run == 0 && len(uid) == 32 {
		return uid
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", podUID, run))
	return hex.EncodeToString(sum[:16])
}

// newTask makes a task known. e.mu is not held.
func (e *Engine) newTask(t setops.Task, f facts, g *generation) *task {
	n := &task{
		Task: t, facts: f, id: t.ID, dir: e.logs.AppDir(t.StageID, t.App), gen: g,
		ended: make(chan struct{}), begun: make(chan struct{}), done: make(chan struct{}),
		shipped: make(chan struct{}), news: make(chan struct{}, 1),
	}
	if t.Status != setops.Provisioning && t.Status != setops.Pending {
		close(n.begun)
	}
	if t.Status != setops.Stopped {
		var err error
		if n.log, err = logfile.Open(n.dir, n.id, logfile.Options{}); err != nil {
			e.cfg.Logger.Warn("a task goes on without a log", "task", t.ID, "error", err)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.add(n)
	return n
}

// add makes a task known, drop forgets it. e.mu is held.
func (e *Engine) add(t *task) {
	e.tasks[t.ID] = t
	if e.onStage[t.StageID] == nil {
		e.onStage[t.StageID] = map[string]*task{}
	}
	e.onStage[t.StageID][t.ID] = t
}

func (e *Engine) drop(t *task) {
	if t.OneOff() && e.podNamed(t.namespace, t.pod) != nil {
		e.dropped[t.ID] = struct{}{}
	}
	delete(e.tasks, t.ID)
	delete(e.onStage[t.StageID], t.ID)
	if len(e.onStage[t.StageID]) == 0 {
		delete(e.onStage, t.StageID)
	}
}

// podNamed gives a pod as we have heard of it last; nil: it is not there.
func (e *Engine) podNamed(namespace, name string) *core.Pod {
	one, _, _ := e.pods.GetStore().GetByKey(namespace + "/" + name) // it knows no error
	pod, _ := one.(*core.Pod)
	return pod
}

// change alters a task: it is logged and recorded first, then seen by others. Then is called under the lock and may be nil.
func (e *Engine) change(t *task, alter func(*setops.Task), then func()) {
	next := e.snapshot(t)
	before := next.Status
	alter(&next)
	for _, status := range between(before, next.Status) {
		passing := next
		passing.Status = status
		e.logStatus(t, passing)
	}
	if err := e.records.Write(next.ID, next); err != nil {
		e.cfg.Logger.Warn("a task goes on without a record", "task", t.ID, "error", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if next.Desired == setops.Running {
		next.Desired = t.Desired
	}
	begins := toStart(t.Status) && !toStart(next.Status)
	t.Task = next
	if begins {
		close(t.begun)
	}
	if then != nil {
		then()
	}
	e.changed(t)
}

// isOver reports whether its container has ended, or never will run.
func (t *task) isOver() bool {
	select {
	case <-t.ended:
		return true
	default:
		return false
	}
}

// stopReasonOf says why a task was told to end; empty: it was not.
func (e *Engine) stopReasonOf(t *task) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return t.stopReason
}

func toStart(s setops.TaskStatus) bool { return s == setops.Provisioning || s == setops.Pending }

// order is that of a task's life.
var order = []setops.TaskStatus{
	setops.Provisioning, setops.Pending, setops.Activating, setops.Running,
	setops.Deactivating, setops.Stopping, setops.Deprovisioning, setops.Stopped,
}

// between gives the states that a task has gone through since it was seen, as a cluster shows only some of them.
func between(from, to setops.TaskStatus) []setops.TaskStatus {
	var passed []setops.TaskStatus
	inside := false
	for _, s := range order {
		switch {
		case s == from:
			inside = true
		case s == to && inside:
			return append(passed, s)
		case inside && (s.Starting() || s == setops.Running) && (to.Starting() || to == setops.Running):
			passed = append(passed, s)
		}
	}
	return nil
}

func (e *Engine) snapshot(t *task) setops.Task {
	e.mu.Lock()
	defer e.mu.Unlock()
	return t.Task
}

func (e *Engine) logStatus(t *task, next setops.Task) {
	line := fmt.Sprintf("Task status is %s, desired status is %s", next.Status, next.Desired)
	if next.Status == setops.Stopped {
		line += fmt.Sprintf(" due to '%s'", next.Reason)
	}
	e.tell(t, line)
}

// tell writes a line of ours into the task's log.
func (e *Engine) tell(t *task, line string) { e.write(t, time.Now(), engine.SourceSystem, line) }

func (e *Engine) write(t *task, at time.Time, source, line string) {
	if t.log == nil {
		return
	}
	if err := t.log.Append(at, source, line); err != nil {
		e.cfg.Logger.Warn("a line is missing in a log", "task", t.id, "error", err)
	}
}
