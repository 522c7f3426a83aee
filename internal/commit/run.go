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

// How long the phases may take that run no steps; apply knows how long each step may.
const (
	initializingLimit = time.Minute
	planningLimit     = time.Minute
	undoingLimit      = 2 * time.Minute // on top of what tasks may take to stop
)

// run is the life of one commit from the moment that its turn has come:
//
//	initializing → planning → applying ─┬─ commit point → done → what is behind it
//	      └────────────┴─────────────────┴─ failed or cancelled: undone, the changeset is open again
func (s *Service) run(t *turn) {
	job, err := s.prepare(t)
	if err == nil {
		err = s.applyPlan(t, job)
	}
	if t.lost(err) {
		return
	}
	now, passed := t.Commit, err == nil
	if err != nil {
		now, passed = s.reread(t)
	}
	switch {
	case t.owned.Err() != nil:
	case !passed:
		s.fail(t, job, now, err)
	case err == nil || s.reroute(t.owned, t.stage):
		s.finish(t, job)
	}
}

// applyPlan runs the steps up to the commit point. An empty plan has none, and there is still something to commit: the fact.
func (s *Service) applyPlan(t *turn, job *apply.Job) error {
	if job.Plan.Empty() {
		return s.pass(t.work, job)
	}
	job.TaskStarted = func(id string) { t.stream.set(func(p *Progress) { p.Task = id }) }
	job.Progress = func(done, total int) { t.stream.set(func(p *Progress) { p.Done, p.Total = done, total }) }
	return s.ports.RunBefore(t.work, job)
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
func (s *Service) prepare(t *turn) (*apply.Job, error) {
	before, after, err := s.initialize(t)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(t.work, planningLimit, errLate)
	defer cancel()
	if err := s.phase(ctx, t, changeset.Planning); err != nil {
		return nil, err
	}
	p, fingerprints, err := s.plan(ctx, t, before, after)
	if err != nil {
		return nil, late(ctx, err)
	}
	if err := s.Store.WriteJournal(ctx, t.Commit, p, fingerprints, changeset.DeltaOf(before, after), s.Now()); err != nil {
		return nil, late(ctx, fmt.Errorf("write journal: %w", err))
	}
	t.stream.set(func(pr *Progress) { pr.Total = len(p.Before()) })
	job := &apply.Job{CommitID: t.ID, Fence: t.Lease.Fence, Stage: t.stage, Before: before, After: after, Plan: p}
	return job, late(ctx, s.phase(ctx, t, changeset.Applying))
}

func (s *Service) initialize(t *turn) (before, after setops.Spec, err error) {
	ctx, cancel := context.WithTimeoutCause(t.work, initializingLimit, errLate)
	defer cancel()
	before, after, err = s.fold(ctx, t.stage, t.Changeset.Commands)
	return before, after, late(ctx, err)
}

// errLate is why a phase ends that does not get done.
var errLate = errors.New("it was not done in time")

// late says that a deadline passed instead of what it led to.
func late(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errLate) {
		return fmt.Errorf("%w: %w", errLate, err)
	}
	return err
}

// fold gives what is committed and what commands make of it. Errors: ChangesetInvalid, with the commands that do not apply.
func (s *Service) fold(ctx context.Context, stage setops.StageRef, commands []changeset.Command) (before, after setops.Spec, err error) {
	before, err = s.Store.Spec(ctx, stage.ID)
	if err != nil {
		return before, after, err
	}
	after, problems := changeset.Fold(before, commands)
	if problems, err = s.recheck(ctx, stage, commands, problems); err == nil && len(problems) > 0 {
		err = refused(problems)
	}
	return before, after, err
}

func (s *Service) phase(ctx context.Context, t *turn, p changeset.Phase) error {
	if err := s.Store.SetPhase(ctx, t.Commit, p); err != nil {
		return err
	}
	t.stream.set(func(pr *Progress) { pr.Phase = p })
	return nil
}

// plan observes and plans. Errors: PlanStale where that is another plan than its author has seen.
func (s *Service) plan(ctx context.Context, t *turn, before, after setops.Spec) (plan.Plan, map[string]string, error) {
	version, err := s.Store.Version(ctx, t.StageID)
	if err != nil {
		return plan.Plan{}, nil, err
	}
	observed, err := s.observe(ctx)
	if err != nil {
		return plan.Plan{}, nil, err
	}
	in, err := s.input(ctx, t.stage, before, after, observed, t.ID[:min(len(t.ID), suffixLength)])
	if err != nil {
		return plan.Plan{}, nil, err
	}
	in.Commit, in.Gates = true, changeset.Gates(after, t.Changeset.Commands)
	in.NewTaskID = func(app string) string { return taskID(t.ID, app) }
	if to := t.Changeset.AppliedTo; to != nil && *to != version {
		return plan.Plan{}, nil, setops.Refuse(setops.PlanStale, "another commit has changed the stage since the definition was applied to it; apply it again")
	}
	hash, err := hashOf(in, version, t.Changeset.Commands)
	if err == nil && t.PlanHash != "" && t.PlanHash != hash {
		err = setops.Refuse(setops.PlanStale, "the stage, what runs on it, or the changeset is not any more what the plan %s was made for; `setops changeset:plan` makes another", t.PlanHash)
	}
	if err != nil {
		return plan.Plan{}, nil, err
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

// suffixLength is how much of the id of a commit is in the ids of its generations.
const suffixLength = 12

// input is what is there and what shall be. New generations are named by their app and the suffix.
func (s *Service) input(ctx context.Context, stage setops.StageRef, before, after setops.Spec, observed engine.Observed,
	suffix string,
) (plan.Input, error) {
	in := plan.Input{
		Stage: stage, Before: before, After: after, Key: s.Key, Ports: map[string]bool{},
		Running: kept(observed, stage.ID), Network: hasNetwork(observed, stage.ID),
		NewID: func(app string) string { return app + "-" + suffix },
	}
	var err error
	if in.Serving, err = s.Store.Serving(ctx, stage.ID); err != nil {
		return in, err
	}
	ports, err := s.Store.Ports(ctx, stage.ID)
	for app := range ports {
		in.Ports[app] = true
	}
	return in, err
}

func (s *Service) observe(ctx context.Context) (engine.Observed, error) {
	observed, err := s.Engine.Observe(ctx)
	if err != nil {
		return observed, fmt.Errorf("observe engine: %w", err)
	}
	return observed, nil
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
	s.mu.Lock()
	c := s.turns[j.CommitID].Commit
	s.mu.Unlock()
	if err := s.Store.Pass(ctx, c, j.After, j.Plan, s.Now()); err != nil {
		return fmt.Errorf("write the committed state: %w", err)
	}
	return s.Routes.Refresh(context.WithoutCancel(ctx), j.Stage)
}

// reread asks the store whether an error came before or behind the commit point.
func (s *Service) reread(t *turn) (now changeset.Commit, passed bool) {
	now, _, err := s.Store.Commit(t.owned, t.StageID, t.ID)
	for err != nil && s.pause(t.owned) {
		now, _, err = s.Store.Commit(t.owned, t.StageID, t.ID)
	}
	return now, now.Passed
}

// fail undoes, opens the changeset again and says why.
func (s *Service) fail(t *turn, job *apply.Job, now changeset.Commit, cause error) {
	failure := s.explain(t.stage, job, cause)
	if now.Cancelled != "" {
		s.Logger.Info("commit cancelled", "commit", t.ID, "stage", t.StageID, "by", now.Cancelled)
	} else {
		s.Logger.Info("commit failed", "commit", t.ID, "stage", t.StageID, "step", failure.Step, "cause", failure.Message)
	}
	if job != nil {
		if err := s.phase(t.owned, t, changeset.Undoing); err != nil {
			s.Logger.Warn("a commit is undone without saying so", "commit", t.ID, "error", err)
		}
		if s.undo(t, job); t.owned.Err() != nil {
			return
		}
	}
	if now.Cancelled != "" {
		s.end(t, changeset.Cancelled, nil)
		return
	}
	s.end(t, changeset.Failed, &failure)
}

// undo tries until nothing is left over, or it takes too long: then the stage is free again, and what is left of the tasks is
// removed behind it, as at every start.
func (s *Service) undo(t *turn, job *apply.Job) {
	ctx, cancel := context.WithTimeout(t.owned, undoingLimit+longestStop(job.After))
	defer cancel()
	for {
		_, started, _, err := s.Store.Journal(ctx, job.CommitID)
		if err == nil {
			err = s.ports.Undo(ctx, job, func(i int) bool { return started[i] })
		}
		if err == nil {
			return
		}
		s.Logger.Error("undo commit", "commit", job.CommitID, "error", err)
		if !s.pause(ctx) {
			break
		}
	}
	for _, step := range job.Plan.Before() {
		if step.Kind == plan.StartGeneration && !step.Restores && t.owned.Err() == nil {
			s.wg.Go(func() { s.remove(step.Generation) })
		}
	}
}

func longestStop(spec setops.Spec) (longest time.Duration) {
	for _, app := range spec.Apps {
		longest = max(longest, app.StopTimeout())
	}
	return longest
}

// finish carries a commit forward that is past its commit point.
func (s *Service) finish(t *turn, job *apply.Job) {
	_, _, done, err := s.Store.Journal(t.owned, t.ID)
	if err == nil {
		err = s.ports.RunAfter(t.owned, job, func(i int, step plan.Step) bool { return frees(step) && !done[i] })
	}
	if t.lost(err) {
		return
	}
	if err != nil { // a later start tries again; the stage is what it was committed to be
		s.Logger.Error("free what apps had, behind commit", "commit", t.ID, "error", err)
	}
	s.end(t, changeset.Done, nil)
	s.wg.Go(func() { s.cleanUp(t.stage, t.ID) })
}

// frees reports a step that should be over before the stage is committed again: the app could want back what it frees, or
// change again what it adjusts.
func frees(s plan.Step) bool { return s.Kind == plan.ClosePort || s.Kind == plan.AdjustGeneration }

// end writes the end of a commit, trying until it is written or the commit is not this process's any more.
func (s *Service) end(t *turn, state changeset.State, failure *changeset.Failure) {
	if failure != nil {
		failure = new(failure.Of(t.Commit))
	}
	for {
		err := s.Store.EndCommit(t.owned, t.Commit, state, failure, s.Now())
		if err == nil {
			break
		}
		s.Logger.Error("end commit", "commit", t.ID, "error", err)
		if t.lost(err) || !s.pause(t.owned) {
			return
		}
	}
	t.stream.set(func(p *Progress) {
		p.State, p.Failure = state, failure
		if state == changeset.Done {
			p.Done = p.Total
		}
	})
}

func (s *Service) pause(ctx context.Context) bool {
	select {
	case <-time.After(s.Again):
		return true
	case <-ctx.Done():
		return false
	}
}
