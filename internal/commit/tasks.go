package commit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/setopsco/setops/internal/apply"
	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// taskID gives the id of the pre-activation task of an app: the same for the same commit, so that the task is found again,
// and never run twice, by whoever goes on with the commit.
func taskID(commitID, app string) string {
	sum := sha256.Sum256([]byte("task before activation\x00" + commitID + "\x00" + app))
	return hex.EncodeToString(sum[:16])
}

// taskLog gives all that there is of the log of a step's task. It belongs to the commit: the app need not be committed.
func (s *Service) taskLog(ctx context.Context, stage setops.StageRef, step plan.Step) (lines []engine.LogLine, err error) {
	q := engine.LogQuery{StageID: stage.ID, App: step.App, TaskID: step.Task}
	err = s.Engine.ReadLogs(ctx, q, func(l engine.LogLine) bool {
		lines = append(lines, l)
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("read log of task %s: %w", step.Task, err)
	}
	return lines, nil
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

// undoBegun stops the pre-activation tasks of a commit that another process began, and removes its new generations, which
// removeUnknown takes for known as long as the commit has not ended. It tries until it is done; false says that the server
// stops first, and the next start goes on.
func (s *Service) undoBegun(ctx context.Context, stage setops.StageRef, c changeset.Commit) bool {
	for {
		p, started, _, err := s.Store.Journal(ctx, c.ID)
		if err == nil {
			err = s.ports.Undo(ctx, &apply.Job{CommitID: c.ID, Stage: stage, Plan: p}, func(i int) bool {
				step := p.Steps[i]
				return started[i] && (step.Kind == plan.RunTask || step.Kind == plan.StartGeneration && !step.Restores)
			})
		}
		if err == nil {
			return true
		}
		s.Logger.Error("undo interrupted commit", "commit", c.ID, "error", err)
		if !s.pause(ctx) {
			return false
		}
	}
}
