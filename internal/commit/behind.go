package commit

import (
	"context"

	"github.com/setopsco/setops/internal/apply"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// cleanUp runs what is left behind the commit point, trying until it is done or the server stops. Later commits of the stage
// go on meanwhile: what a step is about may be there again, or be gone.
func (s *Service) cleanUp(stage setops.StageRef, commitID string) {
	for {
		err := s.cleanUpOnce(s.ctx, stage, commitID)
		if err == nil || s.ctx.Err() != nil {
			return
		}
		s.Logger.Error("clean up behind commit", "commit", commitID, "error", err)
		if !s.pause(s.ctx) {
			return
		}
	}
}

// cleanUpOnce removes generations first: none of them ever serves again, whatever was committed since, and that may take long.
func (s *Service) cleanUpOnce(ctx context.Context, stage setops.StageRef, commitID string) error {
	c, there, err := s.Store.Commit(ctx, stage.ID, commitID)
	if err != nil || !there {
		return err
	}
	p, _, done, err := s.Store.Journal(ctx, commitID)
	if err != nil {
		return err
	}
	job := &apply.Job{CommitID: commitID, Fence: c.Lease.Fence, Ended: true, Stage: stage, Plan: p}
	err = s.ports.RunAfter(ctx, job, func(i int, step plan.Step) bool { return step.Kind == plan.RemoveGeneration && !done[i] })
	if err != nil {
		return err
	}
	for i, step := range p.Steps {
		if !step.After || step.Kind == plan.RemoveGeneration || done[i] {
			continue
		}
		if err := s.cleanUpStep(ctx, *job, i); err != nil {
			return err
		}
	}
	return nil
}

// cleanUpStep runs a step with the app as it is committed now. A commit that touches the app meanwhile has a newer lease, and
// the engine refuses what comes behind it.
func (s *Service) cleanUpStep(ctx context.Context, job apply.Job, position int) (err error) {
	step := job.Plan.Steps[position]
	if job.After, err = s.Store.Spec(ctx, job.Stage.ID); err != nil {
		return err
	}
	serving, err := s.Store.Serving(ctx, job.Stage.ID)
	if err != nil {
		return err
	}
	if moot(step, job.After.Apps[step.App], serving[step.App]) {
		return s.Store.StepDone(ctx, job.CommitID, 0, position, step, s.Now())
	}
	job.Before = job.After
	return s.ports.RunAfter(ctx, &job, func(i int, _ plan.Step) bool { return i == position })
}

// moot reports a step that later commits have overtaken: the app is there again and runs, needs its port again, or is served
// by another generation. To do it now would do harm.
func moot(step plan.Step, app *setops.App, serving plan.Generation) bool {
	switch step.Kind {
	case plan.RemoveLogs:
		return app != nil && app.ActiveRelease != 0
	case plan.ClosePort:
		return app != nil && app.NeedsPort()
	case plan.AdjustGeneration:
		return serving.ID != step.Generation
	}
	return false
}
