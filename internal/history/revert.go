package history

import (
	"context"
	"fmt"
	"strings"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// Revert is what to take back.
type Revert struct {
	Commit string // an id, or a beginning of one that no other has
	To     bool   // bring the whole stage back to what it was right after the commit
	Force  bool   // take back what later commits have changed again, too
}

// Reverted is what was staged, and the states of the stage that it lies between.
type Reverted struct {
	Commands      []changeset.Command
	Before, After setops.Spec
}

// Revert stages the commands that take a commit back as a new changeset. Errors: CommitNotFound; ChangesetInvalid where
// something is staged already, where there is nothing to take back, where a later commit stands in the way, and where an image is
// lost; ChangesetLocked (temporary) where somebody commits just now; what Admit says.
func (s *Service) Revert(ctx context.Context, stage setops.StageRef, user setops.User, r Revert,
	receipt idempotency.Receipt[Reverted],
) (Reverted, error) {
	c, err := s.Running.Commit(ctx, stage.ID, r.Commit)
	if err != nil {
		return Reverted{}, err
	}
	if !c.Passed {
		return Reverted{}, setops.Refuse(setops.ChangesetInvalid, "nothing of commit %s is live: it %s; there is nothing to revert", c.ID, became(c.State))
	}
	now, err := s.Store.Spec(ctx, stage.ID)
	if err != nil {
		return Reverted{}, err
	}
	target, err := s.target(ctx, stage, c, now, r)
	if err != nil {
		return Reverted{}, err
	}
	if err := s.drop(ctx, stage, now, target); err != nil {
		return Reverted{}, err
	}
	keepSecret(now, target)
	done := Reverted{Commands: changeset.Between(now, target), Before: now}
	if len(done.Commands) == 0 {
		return done, setops.Refuse(setops.ChangesetInvalid, "the stage is already as if commit %s had been reverted", c.ID)
	}
	if err := s.admit(ctx, stage, now, target, done.Commands); err != nil {
		return done, err
	}
	fresh := changeset.Changeset{ID: s.NewID(), StageID: stage.ID, UserID: user.ID, CreatedAt: s.Now(), Reverts: c.ID}
	err = s.stage(ctx, fresh, &done, receipt)
	return done, err
}

// stage opens a changeset with what was found out, and sets what it makes of the stage.
func (s *Service) stage(ctx context.Context, fresh changeset.Changeset, done *Reverted, receipt idempotency.Receipt[Reverted]) error {
	decide := func(committed setops.Spec, _ []changeset.Command, _ func(string) (int, error)) ([]changeset.Command, error) {
		if !plan.Equal(committed, done.Before) { // the commands are for another state
			return nil, &setops.Error{
				Kind: setops.StateError, Code: setops.ChangesetLocked, Temporary: true,
				Message: "another commit has changed the stage meanwhile; nothing was staged, try again",
			}
		}
		var problems []changeset.Problem
		if done.After, problems = changeset.Fold(committed, done.Commands); len(problems) > 0 {
			return nil, problems[0].Err
		}
		return done.Commands, nil
	}
	return s.Store.StageRevert(ctx, fresh, decide, idempotency.Receipt[[]changeset.Command]{
		Request: receipt.Request, Answer: func([]changeset.Command) any { return receipt.Answer(*done) },
	})
}

func became(s changeset.State) string {
	switch s {
	case changeset.Failed:
		return "has failed"
	case changeset.Cancelled:
		return "was cancelled"
	}
	return "has not passed yet"
}

// target is what the stage shall be.
func (s *Service) target(ctx context.Context, stage setops.StageRef, c changeset.Commit, now setops.Spec, r Revert) (setops.Spec, error) {
	if r.To {
		return s.stateAfter(ctx, stage, c, now)
	}
	delta, err := s.Store.Delta(ctx, c.ID)
	if err != nil {
		return now, err
	}
	target, conflicts := changeset.Inverse(delta.Before, delta.After, now)
	if len(conflicts) == 0 || r.Force {
		return target, nil
	}
	lines := []string{"later commits have changed again what this one did:"}
	for _, conflict := range conflicts {
		lines = append(lines, "   "+sentenceOf(conflict))
	}
	lines = append(lines, fmt.Sprintf("revert those first, or go back to before all of them with `setops changeset:revert --to COMMIT`, or take them back too with `setops changeset:revert %s --force`", c.ID))
	return now, setops.Refuse(setops.ChangesetInvalid, "%s", strings.Join(lines, "\n"))
}

// sentenceOf names what a conflict is about.
func sentenceOf(c changeset.Conflict) string {
	if c.App == "" {
		return c.Field + ": " + c.Message
	}
	if c.Field == "" {
		return fmt.Sprintf("app %s: %s", c.App, c.Message)
	}
	return fmt.Sprintf("app %s, %s: %s", c.App, c.Field, c.Message)
}

// stateAfter is what the stage was right after a commit: each app as it was before the first later commit that changed it.
func (s *Service) stateAfter(ctx context.Context, stage setops.StageRef, c changeset.Commit, now setops.Spec) (setops.Spec, error) {
	later, err := s.allSince(ctx, stage, c)
	if err != nil {
		return now, err
	}
	target := now.Clone()
	seen, settled := map[string]bool{}, false
	for _, l := range later {
		delta, err := s.Store.Delta(ctx, l.ID)
		if err != nil {
			return now, err
		}
		if !settled {
			settled, target.LogRetention = true, delta.Before.LogRetention
		}
		for _, spec := range []setops.Spec{delta.Before, delta.After} {
			for name := range spec.Apps {
				if seen[name] {
					continue
				}
				seen[name] = true
				delete(target.Apps, name)
				if was := delta.Before.Apps[name]; was != nil {
					target.Apps[name] = withReleases(was, now.Apps[name])
				}
			}
		}
	}
	return target, nil
}

// allSince gives the commits that passed behind another one, oldest first. Errors: ChangesetInvalid where the clean-up has removed
// one of them: an old commit stays as long as its tasks run, and those between it and the newest do not.
func (s *Service) allSince(ctx context.Context, stage setops.StageRef, c changeset.Commit) ([]changeset.Commit, error) {
	version, err := s.Store.Version(ctx, stage.ID)
	if err != nil {
		return nil, err
	}
	later, err := s.Store.CommitsSince(ctx, stage.ID, c.ID)
	if err != nil {
		return nil, err
	}
	known := c.Version
	for _, l := range later {
		if l.Version == known+1 {
			known = l.Version
		}
	}
	if known < version {
		return nil, setops.Refuse(setops.ChangesetInvalid,
			"what the stage was after commit %s is not known any more: the clean-up has removed the commit that made version %d of it; `setops changeset:log` lists those that are left",
			c.ID, known+1)
	}
	return later, nil
}

// withReleases is an app as it was, with the releases that it has today besides those that it had. One that was made anew since
// has numbers that stand for other images: then those of today are none of it.
func withReleases(was, now *setops.App) *setops.App {
	app := was.Clone()
	if now == nil {
		return app
	}
	app.Releases = now.Clone().Releases
	for _, r := range was.Releases {
		switch other, there := app.Release(r.ID); {
		case !there:
			app.Releases = append(app.Releases, r)
		case other.Digest != r.Digest:
			return was.Clone()
		}
	}
	return app
}

// drop leaves out releases that would be made again, that nothing runs, and whose image is gone.
func (s *Service) drop(ctx context.Context, stage setops.StageRef, now, target setops.Spec) error {
	for name, app := range target.Apps {
		kept := make([]setops.Release, 0, len(app.Releases))
		for _, r := range app.Releases {
			found := r.ID == app.ActiveRelease
			if was := now.Apps[name]; was != nil && !found {
				_, found = was.Release(r.ID)
			}
			if !found {
				var err error
				if found, err = s.Exists(ctx, engine.Repository(stage, name), r.Digest); err != nil {
					return fmt.Errorf("look up image %s: %w", r.Digest, err)
				}
			}
			if found {
				kept = append(kept, r)
			}
		}
		if len(kept) < len(app.Releases) {
			app = app.Clone()
			app.Releases = kept
			target.Apps[name] = app
		}
	}
	return nil
}

// keepSecret keeps variables secret that were not before the commit: only who unsets one shows what it is set to then.
func keepSecret(now, target setops.Spec) {
	for name, app := range target.Apps {
		if now.Apps[name] == nil {
			continue
		}
		kept := app.Clone()
		for key, v := range kept.Env {
			v.Secret = v.Secret || now.Apps[name].Env[key].Secret
			kept.Env[key] = v
		}
		target.Apps[name] = kept
	}
}

// admit asks about what the commands alone do not tell: images that are to run, and domains.
func (s *Service) admit(ctx context.Context, stage setops.StageRef, now, target setops.Spec, commands []changeset.Command) error {
	for name, app := range target.Apps {
		if was := now.Apps[name]; app.ActiveRelease == 0 || was != nil && was.ActiveRelease == app.ActiveRelease {
			continue
		}
		release, _ := app.Release(app.ActiveRelease)
		found, err := s.Exists(ctx, engine.Repository(stage, name), release.Digest)
		if err != nil {
			return fmt.Errorf("look up image %s: %w", release.Digest, err)
		}
		if !found {
			return imageLost(engine.Repository(stage, name), name, release, now.Apps[name] != nil)
		}
	}
	for _, c := range commands {
		if err := s.Admit(ctx, stage, c); err != nil {
			return err
		}
	}
	return nil
}

// imageLost says how the image gets there again. An app that is destroyed has no repository to push it to.
func imageLost(repository, app string, release setops.Release, there bool) error {
	way := fmt.Sprintf("push it to %s once more, then revert again", repository)
	if !there {
		way = fmt.Sprintf("commit `setops app:create %s`, push it to %s once more, then revert again with --force", app, repository)
	}
	return setops.Refuse(setops.ChangesetInvalid, "this would run release %d of app %s again, and its image %s is lost; %s",
		release.ID, app, release.Digest, way)
}
