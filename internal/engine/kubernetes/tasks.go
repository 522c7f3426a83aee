package kubernetes

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// Run starts a one-off task, or gives the one that has its id. Errors: CodeCurrentlyNotSupported for one that cannot be joined here.
func (e *Engine) Run(ctx context.Context, o engine.OneOff) (setops.Task, error) {
	if o.Limit <= 0 || o.Limit > engine.OneOffLimit {
		o.Limit = engine.OneOffLimit
	}
	if have, ok := e.knownTask(o.ID); ok {
		if !have.OneOff() {
			return setops.Task{}, fmt.Errorf("run task %s: a generation has one of that id", o.ID)
		}
		return have, nil
	}
	s := e.stageOf(o.Stage)
	if err := e.admit(ctx, o.Stage.ID, s.Name(), o.Fence); err != nil {
		return setops.Task{}, fmt.Errorf("run task %s: %w", o.ID, err)
	}
	argv, err := e.program(ctx, o)
	if err != nil {
		return setops.Task{}, err
	}
	t := e.takeOn(s, o)
	begun := e.snapshot(t)
	if err := e.makeTask(ctx, s, o, begun.CreatedAt, argv); err != nil {
		return setops.Task{}, fmt.Errorf("run task %s: %w", o.ID, e.takeBack(t, err))
	}
	e.expect(t)
	return begun, nil
}

// takeOn makes a one-off task known. Its note is the first line of its log.
func (e *Engine) takeOn(s object.Stage, o engine.OneOff) *task {
	t := e.newTask(setops.Task{
		ID: o.ID, StageID: o.Stage.ID, App: o.App, Release: o.Release, Digest: o.Container.Image.Digest, Tag: o.Tag,
		Status: setops.Provisioning, Desired: setops.Running, Health: setops.Unknown, CreatedAt: time.Now().UTC(),
	}, facts{
		namespace: s.Name(), port: o.Container.Port, memory: o.Container.Memory, stopTimeout: o.StopTimeout, limit: o.Limit,
		console: consoleOf(o.Console),
	}, nil)
	e.mu.Lock()
	t.visit = newVisit(o.Console)
	e.mu.Unlock()
	if o.Note != "" {
		e.tell(t, o.Note)
	}
	e.logStatus(t, e.snapshot(t))
	e.change(t, func(*setops.Task) {}, nil)
	return t
}

// takeBack forgets a task that the cluster did not take.
func (e *Engine) takeBack(t *task, err error) error {
	e.deleteJob(t) // as far as it was made
	e.mu.Lock()
	e.drop(t)
	e.mu.Unlock()
	if t.log != nil {
		t.log.Close() //nolint:errcheck // nothing more is written
	}
	if failed := e.records.Remove(t.ID); failed != nil {
		e.cfg.Logger.Warn("the record of a task stays that never was", "task", t.ID, "error", failed)
	}
	if kerrors.IsForbidden(err) {
		return fmt.Errorf("the cluster does not allow it: %w", err)
	}
	return err
}

// makeTask writes the Job: suspended at first, and let run once that is there which it owns. Argv is the program of a task that is to be
// joined.
func (e *Engine) makeTask(ctx context.Context, s object.Stage, o engine.OneOff, created time.Time, argv []string) error {
	if o.Console != nil {
		s.Machines = []string{runtime.GOARCH} // the latch is made for it
	}
	job := s.Task(o, created, argv)
	job.Spec.Suspend = new(true)
	made, err := e.api.Batch.Jobs(s.Name()).Apply(ctx, job, apply)
	if err != nil {
		return err
	}
	owner := []meta.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: made.Name, UID: made.UID}}
	secret, latch := s.TaskEnvironment(o), s.Latch(o, e.cfg.Latch)
	secret.OwnerReferences, latch.OwnerReferences = owner, owner
	if _, err := e.api.Core.Secrets(s.Name()).Apply(ctx, secret, apply); err != nil {
		return fmt.Errorf("write environment: %w", err)
	}
	if o.Console != nil {
		if _, err := e.api.Core.ConfigMaps(s.Name()).Apply(ctx, latch, apply); err != nil {
			return fmt.Errorf("write latch: %w", err)
		}
	}
	job.UID, job.Spec.Suspend = made.UID, new(false)
	_, err = e.api.Batch.Jobs(s.Name()).Apply(ctx, job, apply)
	return err
}

// knownTask gives a copy of a task.
func (e *Engine) knownTask(id string) (setops.Task, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.tasks[id]; t != nil {
		return t.Task, true
	}
	return setops.Task{}, false
}

func (e *Engine) taskOf(id string) (*task, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.tasks[id]; t != nil {
		return t, nil
	}
	return nil, setops.Refuse(setops.TaskDoesNotExist, "there is no task %s", id)
}

// Stop ends a task.
func (e *Engine) Stop(_ context.Context, taskID string) error {
	if _, err := e.taskOf(taskID); err != nil {
		return err
	}
	e.tellTask(taskID, verdict.ReasonStopped)
	return nil
}

// tellTask has a task's attendant end it, if it is the newest of its pod.
func (e *Engine) tellTask(taskID, reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a := e.attendants[taskID]; a != nil { // a one-off task, which may just be made
		a.tell(reason)
		return
	}
	t := e.tasks[taskID]
	if t == nil || t.gen == nil {
		return
	}
	for a := range t.gen.attendants {
		if a.current == t && !t.isOver() {
			a.tell(reason)
		}
	}
}

// Tell writes a line into the log of a task, unless its log is complete.
func (e *Engine) Tell(_ context.Context, taskID, line string) error {
	t, err := e.taskOf(taskID)
	if err != nil {
		return err
	}
	select {
	case <-t.done:
	default:
		e.tell(t, line)
	}
	return nil
}

// List gives tasks, oldest first.
func (e *Engine) List(_ context.Context, stageID, app string) ([]setops.Task, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []setops.Task
	for _, t := range e.onStage[stageID] {
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
func (e *Engine) Wait(ctx context.Context, taskID string) (setops.Task, error) {
	t, err := e.taskOf(taskID)
	if err != nil {
		return setops.Task{}, err
	}
	select {
	case <-t.done:
		return e.snapshot(t), nil
	case <-ctx.Done():
		return setops.Task{}, ctx.Err()
	case <-e.ctx.Done():
		return setops.Task{}, fmt.Errorf("wait for task %s: %w", taskID, engine.ErrClosed)
	}
}
