package host

import (
	"math"

	"github.com/setopsco/setops/internal/engine"
)

// closedFence is higher than the number of every lease: of a stage that is being removed. Ids of stages never come again.
const closedFence = math.MaxInt64

// admit refuses what makes something new on a stage under an older lease than the newest that was seen, and remembers a newer
// one, also for the next process.
func (s *Supervisor) admit(stageID string, fence int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.admitLocked(stageID, fence)
}

// admitLocked is admit for who has s.mu.
func (s *Supervisor) admitLocked(stageID string, fence int64) error {
	switch seen := s.fences[stageID]; {
	case seen == closedFence: // for one-off tasks too, which come without a number
		return engine.ErrFenced
	case fence == 0 || fence == seen:
		return nil
	case fence < seen:
		return engine.ErrFenced
	}
	s.fences[stageID] = fence
	if err := s.numbers.Write(stageID, fence); err != nil {
		s.cfg.Logger.Warn("the number of a lease is not kept", "stage", stageID, "error", err)
	}
	return nil
}

// isDeclaredSince reports whether an app has a generation that was declared under a newer lease. s.mu is held.
func (s *Supervisor) isDeclaredSince(stageID, app string, fence int64) bool {
	for _, g := range s.generations {
		if g.Stage.ID == stageID && g.App == app && g.outranks(fence) {
			return true
		}
	}
	return false
}

// outranks reports a generation that was declared under a newer lease.
func (g *generation) outranks(fence int64) bool { return fence != 0 && fence < g.Fence }
