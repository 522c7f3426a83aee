package host

import "github.com/setopsco/setops/internal/setops"

// sweep forgets tasks that ended long ago and keeps the logs within their limits, until Close.
func (s *Supervisor) sweep() {
	for sleep(s.ctx, s.cfg.Timings.Sweep) {
		s.sweepTasks()
		if err := s.logs.Sweep(); err != nil {
			s.cfg.Logger.Warn("old logs stay", "error", err)
		}
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
