package commit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
)

// taskID gives the id of the pre-activation task of an app: the same for the same commit, so that the task is found again,
// and never run twice, by whoever goes on with the commit.
func taskID(commitID, app string) string {
	sum := sha256.Sum256([]byte("task before activation\x00" + commitID + "\x00" + app))
	return hex.EncodeToString(sum[:16])
}

// hasBegunTasks reports whether an interrupted commit may have pre-activation tasks that run.
func (s *Service) hasBegunTasks(ctx context.Context, c changeset.Commit) (bool, error) {
	p, started, _, err := s.Store.Journal(ctx, c.ID)
	for i, step := range p.Steps {
		if step.Kind == plan.RunTask && started[i] {
			return true, err
		}
	}
	return false, err
}
