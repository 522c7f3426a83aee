package host

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/logfile"
)

func (s *Supervisor) logDir(stageID, app string) string {
	return filepath.Join(s.cfg.Dir, "logs", stageID, app)
}

// ReadLogs reads what tasks wrote and what was said of them.
func (s *Supervisor) ReadLogs(ctx context.Context, q engine.LogQuery, yield func(engine.LogLine) bool) error {
	keep := func(l logfile.Line) bool {
		return (q.All || l.Source != sourcePassed) && (q.Source == "" || q.Source == sourceName(l.Source))
	}
	return s.readLogs(ctx, q, keep, yield)
}

func (s *Supervisor) readLogs(
	ctx context.Context, q engine.LogQuery, keep func(logfile.Line) bool, yield func(engine.LogLine) bool,
) error {
	query := logfile.Query{
		Name: q.TaskID, Behind: make(map[string]logfile.Position, len(q.Behind)), Since: q.Since, After: q.After, Before: q.Before,
		Limit: q.Limit, Follow: q.Follow, Past: q.Past, Keep: keep,
	}
	for task, at := range q.Behind {
		query.Behind[task] = logfile.Position(at)
	}
	kept, err := s.cfg.Logs.Retention(ctx, q.StageID)
	if err != nil {
		return fmt.Errorf("find out how long logs are kept: %w", err)
	}
	if oldest := s.now().Add(-kept); query.After.Before(oldest) {
		query.After = oldest // what is over the retention may still be in a file that is not
	}
	if q.Follow {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		query.Ended = s.ended(q.TaskID)
	}
	err = logfile.Read(ctx, s.logDir(q.StageID, q.App), query, func(l logfile.Line) bool {
		return yield(engine.LogLine{
			Time: l.Time, TaskID: l.Name, Source: sourceName(l.Source), Text: l.Text, Gap: l.Gap, End: engine.LogPosition(l.End),
		})
	})
	if s.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errClosed
	}
	return err
}

// sourceName is what others know a source by.
func sourceName(source string) string {
	if source == sourcePassed {
		return sourceSystem
	}
	return source
}

// ended gives a channel that is closed when the log of the task is complete, nil where no task is named. A task that
// nobody knows any more has a complete log.
func (s *Supervisor) ended(taskID string) <-chan struct{} {
	if taskID == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tasks[taskID]; t != nil {
		return t.done
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}
