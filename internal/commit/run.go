package commit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/apply"
	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// run is the life of one commit:
//
//	initializing → planning → applying ─┬─ commit point → done → what is behind it
//	      └────────────┴─────────────────┴─ failed: undone, the changeset is open again
func (s *Service) run(ctx context.Context, stage setops.StageRef, c changeset.Commit, st *stream) {
	job, err := s.prepare(ctx, stage, c, st)
	if err == nil {
		job.Progress = func(done, total int) { st.set(func(p *Progress) { p.Done, p.Total = done, total }) }
		err = s.ports.RunBefore(ctx, job)
	}
	if errors.Is(context.Cause(ctx), errShutdown) {
		return
	}
	if err != nil && !s.passed(ctx, c) {
		s.fail(ctx, stage, job, c, st, err)
		return
	}
	if err != nil && !s.reroute(ctx, stage) {
		return
	}
	s.finish(ctx, job, c, st)
}

// reroute sets the routes where the switch failed behind its commit point: they may still lead to the tasks that finish
// will stop. It tries until it is done; false says that the server stops first, and the next start goes on.
func (s *Service) reroute(ctx context.Context, stage setops.StageRef) bool {
	for {
		err := s.Routes.Refresh(ctx, stage)
		if err == nil {
			return true
		}
		s.Logger.Error("set routes behind commit", "stage", stage.ID, "error", err)
		if !s.pause(ctx) {
			return false
		}
	}
}

// prepare folds, plans and writes the journal.
func (s *Service) prepare(ctx context.Context, stage setops.StageRef, c changeset.Commit, st *stream) (*apply.Job, error) {
	before, err := s.Store.Spec(ctx, stage.ID)
	if err != nil {
		return nil, err
	}
	after, problems := changeset.Fold(before, c.Changeset.Commands)
	if problems, err = s.recheck(ctx, stage, c.Changeset.Commands, problems); err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		return nil, refused(problems)
	}
	if err := s.phase(ctx, c, st, changeset.Planning); err != nil {
		return nil, err
	}
	observed, err := s.Engine.Observe(ctx)
	if err != nil {
		return nil, fmt.Errorf("observe engine: %w", err)
	}
	p, fingerprints, err := s.plan(ctx, stage, before, after, observed, &c)
	if err != nil {
		return nil, err
	}
	if err := s.Store.WriteJournal(ctx, c.ID, stage.ID, p, fingerprints, s.Now()); err != nil {
		return nil, fmt.Errorf("write journal: %w", err)
	}
	st.set(func(pr *Progress) { pr.Total = len(p.Before()) })
	job := &apply.Job{CommitID: c.ID, Stage: stage, Before: before, After: after, Plan: p}
	return job, s.phase(ctx, c, st, changeset.Applying)
}

func (s *Service) phase(ctx context.Context, c changeset.Commit, st *stream, p changeset.Phase) error {
	if err := s.Store.SetPhase(ctx, c.ID, p); err != nil {
		return err
	}
	st.set(func(pr *Progress) { pr.Phase = p })
	return nil
}

// plan plans on what was observed. Without a commit it puts back what is missing.
func (s *Service) plan(ctx context.Context, stage setops.StageRef, before, after setops.Spec, observed engine.Observed,
	c *changeset.Commit,
) (plan.Plan, map[string]string, error) {
	serving, err := s.Store.Serving(ctx, stage.ID)
	if err != nil {
		return plan.Plan{}, nil, err
	}
	ports, err := s.Store.Ports(ctx, stage.ID)
	if err != nil {
		return plan.Plan{}, nil, err
	}
	in := plan.Input{
		Stage: stage, Before: before, After: after, Serving: serving, Commit: c != nil, Key: s.Key,
		Running: kept(observed, stage.ID), Network: hasNetwork(observed, stage.ID), Ports: map[string]bool{},
	}
	for app := range ports {
		in.Ports[app] = true
	}
	if c != nil {
		in.NewID = func(app string) string { return app + "-" + c.ID[:12] }
	}
	p := plan.Make(in)
	fingerprints := map[string]string{}
	for _, step := range p.Steps {
		if step.Kind == plan.StartGeneration {
			fingerprints[step.App] = plan.Fingerprint(s.Key, after.Apps[step.App])
		}
	}
	return p, fingerprints, nil
}

func kept(o engine.Observed, stageID string) map[string]bool {
	all := map[string]bool{}
	for _, g := range o.Generations {
		if g.StageID == stageID && g.Kept {
			all[g.ID] = true
		}
	}
	return all
}

func hasNetwork(o engine.Observed, stageID string) bool {
	for _, id := range o.Stages {
		if id == stageID {
			return true
		}
	}
	return false
}

// pass is the commit point: one transaction, and the routes, which are a function of it.
func (s *Service) pass(ctx context.Context, j *apply.Job) error {
	if s.Predecessor != nil {
		if err := s.Predecessor(ctx); err != nil {
			return fmt.Errorf("wait for the earlier server to end: %w", err)
		}
	}
	if err := s.Store.Pass(ctx, j.CommitID, j.Stage.ID, j.After, j.Plan); err != nil {
		return fmt.Errorf("write the committed state: %w", err)
	}
	return s.Routes.Refresh(context.WithoutCancel(ctx), j.Stage)
}

// passed asks the store whether an error came before or behind the commit point.
func (s *Service) passed(ctx context.Context, c changeset.Commit) bool {
	now, ok, err := s.Store.Commit(ctx, c.StageID, c.ID)
	for err != nil && s.pause(ctx) {
		now, ok, err = s.Store.Commit(ctx, c.StageID, c.ID)
	}
	return ok && now.Passed
}

// fail undoes, opens the changeset again and says why.
func (s *Service) fail(ctx context.Context, stage setops.StageRef, job *apply.Job, c changeset.Commit, st *stream, cause error) {
	failure := s.explain(stage, job, cause)
	s.Logger.Info("commit failed", "commit", c.ID, "stage", c.StageID, "step", failure.Step, "cause", failure.Message)
	if job != nil && !s.undo(ctx, job) {
		return
	}
	s.end(ctx, c, st, &failure)
}

// undo tries until nothing is left over; false says that the server stops first, and the next start goes on.
func (s *Service) undo(ctx context.Context, job *apply.Job) bool {
	for {
		_, started, _, err := s.Store.Journal(ctx, job.CommitID)
		if err == nil {
			err = s.ports.Undo(ctx, job, func(i int) bool { return started[i] })
		}
		if err == nil {
			return true
		}
		s.Logger.Error("undo commit", "commit", job.CommitID, "error", err)
		if !s.pause(ctx) {
			return false
		}
	}
}

// finish carries a commit forward that is past its commit point.
func (s *Service) finish(ctx context.Context, job *apply.Job, c changeset.Commit, st *stream) {
	_, _, done, err := s.Store.Journal(ctx, c.ID)
	if err == nil {
		err = s.ports.RunAfter(ctx, job, func(i int, step plan.Step) bool { return frees(step) && !done[i] })
	}
	if err != nil { // a later start tries again; the stage is what it was committed to be
		s.Logger.Error("free what apps had, behind commit", "commit", c.ID, "error", err)
	}
	s.end(ctx, c, st, nil)
	s.wg.Go(func() { s.cleanUp(job.Stage, c.ID) })
}

// frees reports a step that must be over before the stage can be committed again: the app could want back what it frees.
func frees(s plan.Step) bool { return s.Kind == plan.RemoveImages || s.Kind == plan.ClosePort }

// end writes the end of a commit, trying until it is written or the server stops.
func (s *Service) end(ctx context.Context, c changeset.Commit, st *stream, failure *changeset.Failure) {
	for {
		err := s.Store.EndCommit(ctx, c, failure, s.Now())
		if err == nil {
			break
		}
		s.Logger.Error("end commit", "commit", c.ID, "error", err)
		if !s.pause(ctx) {
			return
		}
	}
	st.set(func(p *Progress) {
		p.State, p.Failure = changeset.Done, failure
		if failure != nil {
			p.State = changeset.Failed
		} else {
			p.Done = p.Total
		}
	})
	s.forgetLater(c.ID)
}

// remember is how long the log lines of a failure are kept for somebody who asks again.
const remember = 10 * time.Minute

func (s *Service) forgetLater(id string) {
	s.wg.Go(func() {
		select {
		case <-time.After(remember):
		case <-s.ctx.Done():
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.streams, id)
	})
}

// retryAfter is the time between two tries of what must be done in the end.
const retryAfter = time.Second

func (s *Service) pause(ctx context.Context) bool {
	select {
	case <-time.After(retryAfter):
		return true
	case <-ctx.Done():
		return false
	}
}
