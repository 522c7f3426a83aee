package commit

import (
	"context"
	"fmt"
	"maps"
	"slices"

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
	p, _, done, err := s.Store.Journal(ctx, commitID)
	if err != nil {
		return err
	}
	job := &apply.Job{CommitID: commitID, Stage: stage, Plan: p}
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

// cleanUpStep runs a step with the app as it is committed now, and sees to it that no commit touches the app meanwhile.
func (s *Service) cleanUpStep(ctx context.Context, job apply.Job, position int) error {
	step := job.Plan.Steps[position]
	release, err := s.reserve(ctx, job.Stage.ID, step.App)
	if err != nil {
		return err
	}
	defer release()
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

// reserveFor keeps the apps that a commit touches, from before its first step until it has passed or is undone.
func (s *Service) reserveFor(t *turn, job *apply.Job) (release func(), err error) {
	ctx, cancel := context.WithTimeoutCause(t.work, reservingLimit, errLate)
	defer cancel()
	if release, err = s.reserve(ctx, t.StageID, touched(job.Plan)...); err != nil {
		return nil, fmt.Errorf("wait for what an earlier commit has left to do: %w", err)
	}
	return release, nil
}

// reserve keeps apps of a stage for the caller until release is called; who comes second waits.
func (s *Service) reserve(ctx context.Context, stageID string, apps ...string) (release func(), err error) {
	var kept []string
	release = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, key := range kept {
			close(s.reserved[key])
			delete(s.reserved, key)
		}
	}
	for _, app := range apps {
		key := stageID + " " + app
		if err := s.reserveOne(ctx, key); err != nil {
			release()
			return nil, err
		}
		kept = append(kept, key)
	}
	return release, nil
}

func (s *Service) reserveOne(ctx context.Context, key string) error {
	for {
		s.mu.Lock()
		taken := s.reserved[key]
		if taken == nil {
			s.reserved[key] = make(chan struct{})
		}
		s.mu.Unlock()
		if taken == nil {
			return nil
		}
		select {
		case <-taken:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// touched are the apps that a plan does something for before the commit point, sorted: two who reserve never wait for each other.
func touched(p plan.Plan) []string {
	all := map[string]bool{}
	for _, step := range p.Before() {
		if step.App != "" {
			all[step.App] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
