package commit

import (
	"context"
	"errors"
	"fmt"

	"github.com/setopsco/setops/internal/apply"
	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// Resume brings every stage to its last committed state after a start: it declares the generations that serve, gives the
// changesets of commits that were interrupted before their commit point back, carries the others forward, removes generations
// that nobody knows, and gives those that wait their turn. It returns when routes, declarations and changesets stand; what
// takes longer goes on behind it.
func (s *Service) Resume(ctx context.Context) error {
	refs, err := s.Store.StageRefs(ctx)
	if err != nil {
		return err
	}
	observed, err := s.observe(ctx) // once: no stage changes what is there of another
	if err != nil {
		return err
	}
	for _, stage := range refs {
		if err := s.restore(ctx, stage, observed); err != nil {
			return fmt.Errorf("restore stage %s of project %s: %w", stage.Name, stage.Project, err)
		}
	}
	running, err := s.Store.RunningCommits(ctx)
	if err != nil {
		return err
	}
	for _, c := range running {
		if err := s.resume(ctx, c); err != nil {
			return fmt.Errorf("resume commit %s: %w", c.ID, err)
		}
	}
	if err := s.removeUnknown(ctx); err != nil {
		return err
	}
	unfinished, err := s.Store.Unfinished(ctx)
	if err != nil {
		return err
	}
	for id, stage := range unfinished {
		s.wg.Go(func() { s.cleanUp(stage, id) })
	}
	if err := s.tidyQueues(ctx); err != nil {
		return err
	}
	s.wg.Go(s.watchQueues)
	return nil
}

// restore makes the engine keep what is committed, by the same plan and apply as a commit, and sets the routes.
func (s *Service) restore(ctx context.Context, stage setops.StageRef, observed engine.Observed) error {
	err := s.restoreOnce(ctx, stage, observed)
	for errors.Is(err, engine.ErrFenced) { // another server has committed meanwhile
		if observed, err = s.observe(ctx); err == nil {
			err = s.restoreOnce(ctx, stage, observed)
		}
	}
	return err
}

func (s *Service) restoreOnce(ctx context.Context, stage setops.StageRef, observed engine.Observed) error {
	fence, err := s.Store.Fence(ctx, stage.ID) // first: who commits meanwhile outranks what is read here
	if err != nil {
		return err
	}
	in, err := s.standing(ctx, stage, observed)
	if err != nil {
		return err
	}
	job := &apply.Job{Fence: fence, Stage: stage, Before: in.Before, After: in.After, Plan: plan.Make(in)}
	err = s.ports.RunBefore(ctx, job)
	if err == nil { // ports that a commit reserved and never passed
		err = s.ports.RunAfter(ctx, job, func(int, plan.Step) bool { return true })
	}
	return errors.Join(err, s.Routes.Refresh(ctx, stage))
}

// standing is what is committed and what is there, of one version of the stage: another server may commit meanwhile.
func (s *Service) standing(ctx context.Context, stage setops.StageRef, observed engine.Observed) (plan.Input, error) {
	for {
		version, err := s.Store.Version(ctx, stage.ID)
		if err != nil {
			return plan.Input{}, err
		}
		spec, err := s.Store.Spec(ctx, stage.ID)
		if err != nil {
			return plan.Input{}, err
		}
		in, err := s.input(ctx, stage, spec, spec, observed, "")
		if err != nil {
			return plan.Input{}, err
		}
		if now, err := s.Store.Version(ctx, stage.ID); err != nil || now == version {
			return in, err
		}
	}
}

// resume ends a commit that an earlier process of this owner began; of others' the lease decides. One that had not passed has
// nothing to undo but generations that the store forgets here: removeUnknown ends them. Scales were restored when the
// committed state was declared. Where pre-activation tasks may run, the changeset comes back once they have ended, behind
// Resume, or the same task could soon run twice.
func (s *Service) resume(ctx context.Context, c changeset.Commit) error {
	if c.Lease.Owner != s.Owner && c.Lease.Owner != "" {
		return nil
	}
	tasks, err := s.hasBegunTasks(ctx, c)
	if err != nil || c.Passed || tasks {
		return errors.Join(err, s.takeOver(ctx, c))
	}
	stage, ok, err := s.Store.StageRef(ctx, c.StageID)
	if err != nil || !ok {
		return err
	}
	now := s.Now()
	c, ok, err = s.Store.TakeOver(ctx, c.ID, s.Owner, now, now.Add(s.Lease))
	if err != nil || !ok {
		return err
	}
	if c.Cancelled != "" {
		return s.Store.EndCommit(ctx, c, changeset.Cancelled, nil, s.Now())
	}
	failure := s.explain(stage, nil, interruptedBy()).Of(c)
	return s.Store.EndCommit(ctx, c, changeset.Failed, &failure, s.Now())
}

func interruptedBy() error {
	e := setops.Refuse(setops.CommitFailed,
		"the server was stopped while the commit ran; nothing of it is live. Commit again with `setops changeset:commit`")
	e.Temporary = true
	return e
}

// goOn ends a commit that another process has left: one that had passed is carried forward, one that had not is undone.
func (s *Service) goOn(t *turn) {
	job, err := s.jobOf(t.owned, t.stage, t.Commit)
	for err != nil && s.pause(t.owned) {
		job, err = s.jobOf(t.owned, t.stage, t.Commit)
	}
	if t.owned.Err() != nil {
		return
	}
	switch {
	case !t.Passed:
		s.fail(t, job, t.Commit, interruptedBy())
	case s.reroute(t.owned, t.stage):
		s.finish(t, job)
	}
}

// removeUnknown ends the generations that the engine has and the store does not: those of commits that never passed. It looks at
// the engine first: another server may be starting one, which is in the store by then.
func (s *Service) removeUnknown(ctx context.Context) error {
	observed, err := s.observe(ctx)
	if err != nil {
		return err
	}
	known, err := s.Store.Generations(ctx)
	if err != nil {
		return err
	}
	for _, g := range observed.Generations {
		if !known[g.ID] {
			s.wg.Go(func() { s.remove(g.ID) })
		}
	}
	return nil
}

// remove tries until the generation is gone or the server stops.
func (s *Service) remove(generation string) {
	for {
		err := s.Engine.Remove(s.ctx, generation, 0)
		if err == nil || s.ctx.Err() != nil {
			return
		}
		s.Logger.Error("remove generation that nobody knows", "generation", generation, "error", err)
		if !s.pause(s.ctx) {
			return
		}
	}
}

// jobOf rebuilds the job from what is committed and the journal.
func (s *Service) jobOf(ctx context.Context, stage setops.StageRef, c changeset.Commit) (*apply.Job, error) {
	spec, err := s.Store.Spec(ctx, stage.ID)
	if err != nil {
		return nil, err
	}
	p, _, _, err := s.Store.Journal(ctx, c.ID)
	return &apply.Job{CommitID: c.ID, Fence: c.Lease.Fence, Stage: stage, Before: spec, After: spec, Plan: p}, err
}
