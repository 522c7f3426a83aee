package kubernetes

import (
	"context"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// ReadLogs reads what tasks wrote and what was said of them.
func (e *Engine) ReadLogs(ctx context.Context, q engine.LogQuery, yield func(engine.LogLine) bool) error {
	return e.logs.Read(ctx, q, yield)
}

// logComplete gives a channel that is closed when nothing more comes into the log of a task.
func (e *Engine) logComplete(taskID string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.tasks[taskID]; t != nil {
		return t.done
	}
	return nil
}

// sweep forgets tasks that ended long ago and keeps the logs within their limits, until Close.
func (e *Engine) sweep() {
	for e.sleep(e.cfg.Timings.Sweep) {
		e.sweepTasks()
		if err := e.logs.Sweep(); err != nil {
			e.cfg.Logger.Warn("old logs stay", "error", err)
		}
	}
}

// sleep reports false when the engine was closed before.
func (e *Engine) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-e.ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (e *Engine) sweepTasks() {
	oldest := time.Now().Add(-e.cfg.Timings.EndedFor)
	e.mu.Lock()
	var ids []string
	for id, t := range e.tasks {
		if t.Status == setops.Stopped && t.StoppedAt.Before(oldest) {
			ids = append(ids, id)
			e.drop(t)
			e.notify(t.StageID)
		}
	}
	e.mu.Unlock()
	for _, id := range ids {
		if err := e.records.Remove(id); err != nil {
			e.cfg.Logger.Warn("an old record stays", "task", id, "error", err)
		}
	}
}
