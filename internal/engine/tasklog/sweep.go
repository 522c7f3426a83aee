package tasklog

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/setopsco/setops/internal/engine/logfile"
)

// Sweep keeps the logs within their limits. What cannot be deleted, or has no known limit, stays until the next time; the error names it.
func (l *Logs) Sweep() error {
	dirs, err := filepath.Glob(l.AppDir("*", "*"))
	for _, dir := range dirs {
		if e := l.sweepApp(dir); e != nil && l.Open.Err() == nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", dir, e))
		}
	}
	return err
}

func (l *Logs) sweepApp(dir string) error {
	oldest, err := l.oldest(l.Open, filepath.Base(filepath.Dir(dir)))
	if err != nil {
		return err
	}
	return logfile.Sweep(dir, logfile.Limits{
		Before: oldest, Bytes: cmp.Or(l.AppBytes, logfile.DefaultTotalBytes), Ended: l.isComplete,
	})
}

func (l *Logs) isComplete(taskID string) bool {
	select {
	case <-l.complete(taskID):
		return true
	default:
		return false
	}
}
