package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/logfile"
	"github.com/setopsco/setops/internal/setops"
)

func (e *Engine) logDir(stageID, app string) string {
	return filepath.Join(e.cfg.Dir, "logs", stageID, app)
}

// ReadLogs reads what tasks wrote and what was said of them.
func (e *Engine) ReadLogs(ctx context.Context, q engine.LogQuery, yield func(engine.LogLine) bool) error {
	query := logfile.Query{
		Name: q.TaskID, Behind: make(map[string]logfile.Position, len(q.Behind)), Since: q.Since, After: q.After, Before: q.Before,
		Limit: q.Limit, Follow: q.Follow, Past: q.Past,
		Keep: func(l logfile.Line) bool {
			return (q.All || l.Source != sourcePassed) && (q.Source == "" || q.Source == sourceName(l.Source))
		},
	}
	for task, at := range q.Behind {
		query.Behind[task] = logfile.Position(at)
	}
	kept, err := e.cfg.LogsKept(ctx, q.StageID)
	if err != nil {
		return fmt.Errorf("find out how long logs are kept: %w", err)
	}
	if oldest := time.Now().Add(-kept); query.After.Before(oldest) {
		query.After = oldest // what is over the retention may still be in a file that is not
	}
	if q.Follow {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(e.ctx, cancel)()
		query.Ended = e.logEnds(q.TaskID)
	}
	err = logfile.Read(ctx, e.logDir(q.StageID, q.App), query, func(l logfile.Line) bool {
		return yield(engine.LogLine{
			Time: l.Time, TaskID: l.Name, Source: sourceName(l.Source), Text: l.Text, Gap: l.Gap, End: engine.LogPosition(l.End),
		})
	})
	if e.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errClosed
	}
	return err
}

// sourceName is what others know a source by.
func sourceName(source string) string {
	if source == sourcePassed {
		return engine.SourceSystem
	}
	return source
}

// logEnds gives a channel that is closed when the log of a task is complete; nil where no task is named.
func (e *Engine) logEnds(taskID string) <-chan struct{} {
	if taskID == "" {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.tasks[taskID]; t != nil {
		return t.done
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

func (e *Engine) removeLogs(stageID, app string) error {
	if err := os.RemoveAll(e.logDir(stageID, app)); err != nil {
		return fmt.Errorf("remove logs: %w", err)
	}
	return nil
}

// sweep forgets tasks that ended long ago and keeps the logs within their limits, until Close.
func (e *Engine) sweep() {
	for e.sleep(e.cfg.Timings.Sweep) {
		e.sweepTasks()
		e.sweepLogs()
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

func (e *Engine) sweepLogs() {
	dirs, err := filepath.Glob(e.logDir("*", "*"))
	if err != nil {
		return // the pattern is well formed, nothing else is an error
	}
	for _, dir := range dirs {
		kept, err := e.cfg.LogsKept(e.ctx, filepath.Base(filepath.Dir(dir)))
		if err == nil {
			err = logfile.Sweep(dir, logfile.Limits{
				Before: time.Now().Add(-kept), Bytes: logfile.DefaultTotalBytes, Ended: e.hasEnded,
			})
		}
		if err != nil && e.ctx.Err() == nil {
			e.cfg.Logger.Warn("old logs stay", "directory", dir, "error", err)
		}
	}
}

func (e *Engine) hasEnded(taskID string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.tasks[taskID]
	return t == nil || t.Status == setops.Stopped
}
