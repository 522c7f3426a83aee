// Package tasklog is what engines keep of their tasks' logs: a directory for each app of a stage, with files of package logfile in it.
package tasklog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/logfile"
)

// SourcePassed marks lines of engine.SourceSystem that tell of health checks that passed: only engine.LogQuery.All shows them.
const SourcePassed = "passed"

// Logs are those of one engine.
type Logs struct {
	Dir      string
	Kept     engine.LogRetention // nil: logfile.DefaultRetention for all stages
	AppBytes int64               // at most, of all tasks of an app; 0: logfile.DefaultTotalBytes
	Now      func() time.Time
	// Complete gives a channel that is closed when nothing more comes into the log of a task; nil where nobody knows it any more.
	Complete func(taskID string) <-chan struct{}
	// Open ends when the engine is closed: nobody follows then.
	Open context.Context //nolint:containedctx // it is as old as the engine
}

// AppDir is where the logs of an app's tasks are; with an empty app those of all of a stage.
func (l *Logs) AppDir(stageID, app string) string { return filepath.Join(l.Dir, stageID, app) }

// Remove deletes the logs of an app; with an empty app those of all of a stage. What is not there is no error.
func (l *Logs) Remove(stageID, app string) error {
	if err := os.RemoveAll(l.AppDir(stageID, app)); err != nil {
		return fmt.Errorf("remove logs: %w", err)
	}
	return nil
}

// Read is engine.Logs.ReadLogs. Lines that are over the retention are not there, though their file may be. Errors besides:
// engine.ErrClosed where the engine was closed meanwhile.
func (l *Logs) Read(ctx context.Context, q engine.LogQuery, yield func(engine.LogLine) bool) error {
	query, err := l.query(ctx, q)
	if err != nil {
		return err
	}
	if q.Follow {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(l.Open, cancel)()
	}
	err = logfile.Read(ctx, l.AppDir(q.StageID, q.App), query, func(line logfile.Line) bool {
		return yield(engine.LogLine{
			Time: line.Time, TaskID: line.Name, Source: shown(line.Source), Text: line.Text, Gap: line.Gap, End: engine.LogPosition(line.End),
		})
	})
	if l.Open.Err() != nil && errors.Is(err, context.Canceled) {
		return engine.ErrClosed
	}
	return err
}

func (l *Logs) query(ctx context.Context, q engine.LogQuery) (logfile.Query, error) {
	query := logfile.Query{
		Name: q.TaskID, Behind: make(map[string]logfile.Position, len(q.Behind)), Since: q.Since, After: q.After, Before: q.Before,
		Limit: q.Limit, Follow: q.Follow, Past: q.Past,
		Keep: func(line logfile.Line) bool {
			return (q.All || line.Source != SourcePassed) && (q.Source == "" || q.Source == shown(line.Source))
		},
	}
	for task, at := range q.Behind {
		query.Behind[task] = logfile.Position(at)
	}
	if q.Follow && q.TaskID != "" {
		query.Ended = l.complete(q.TaskID)
	}
	oldest, err := l.oldest(ctx, q.StageID)
	if query.After.Before(oldest) {
		query.After = oldest
	}
	return query, err
}

// complete is Complete, for all tasks.
func (l *Logs) complete(taskID string) <-chan struct{} {
	if c := l.Complete(taskID); c != nil {
		return c
	}
	c := make(chan struct{})
	close(c)
	return c
}

// shown is what others know a source by.
func shown(source string) string {
	if source == SourcePassed {
		return engine.SourceSystem
	}
	return source
}

// oldest is when the oldest lines that are kept were written.
func (l *Logs) oldest(ctx context.Context, stageID string) (time.Time, error) {
	kept := logfile.DefaultRetention
	if l.Kept != nil {
		var err error
		if kept, err = l.Kept(ctx, stageID); err != nil {
			return time.Time{}, fmt.Errorf("find out how long logs are kept: %w", err)
		}
	}
	return l.Now().Add(-kept), nil
}
