package host

import (
	"path/filepath"

	"github.com/setopsco/setops/internal/engine/logfile"
	"github.com/setopsco/setops/internal/setops"
)

// sweep forgets tasks that ended long ago and keeps the logs within their limits, until Close.
func (s *Supervisor) sweep() {
	for sleep(s.ctx, s.cfg.Timings.Sweep) {
		s.sweepTasks()
		s.sweepLogs()
	}
}

func (s *Supervisor) sweepTasks() {
	oldest := s.now().Add(-s.cfg.Timings.EndedFor)
	s.mu.Lock()
	var ids []string
	for id, t := range s.tasks {
		if t.Status == setops.Stopped && t.StoppedAt.Before(oldest) {
			ids = append(ids, id)
			s.drop(t)
			s.notify(t.StageID)
		}
	}
	s.mu.Unlock()
	for _, id := range ids {
		if err := s.records.Remove(id); err != nil {
			s.cfg.Logger.Warn("an old record stays", "task", id, "error", err)
		}
	}
}

func (s *Supervisor) sweepLogs() {
	dirs, err := filepath.Glob(s.logDir("*", "*"))
	if err != nil {
		return // the pattern is well formed, nothing else is an error
	}
	for _, dir := range dirs {
		kept, err := s.cfg.Logs.Retention(s.ctx, filepath.Base(filepath.Dir(dir)))
		if err == nil {
			err = logfile.Sweep(dir, logfile.Limits{Before: s.now().Add(-kept), Bytes: s.cfg.Logs.AppBytes, Ended: s.hasEnded})
		}
		if err != nil && s.ctx.Err() == nil {
			s.cfg.Logger.Warn("old logs stay", "directory", dir, "error", err)
		}
	}
}

func (s *Supervisor) hasEnded(taskID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[taskID]
	return t == nil || t.Status == setops.Stopped
}
