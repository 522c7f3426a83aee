// Package history looks back and ahead: which commits a stage had, what each of them changed, and the commands that take one
// back. It changes nothing but a changeset; making that live is the affair of package commit.
//
// Start with Service; revert.go stages the inverse of a commit.
package history

import (
	"context"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
)

// Store is what history needs of the store; see there for what each method does.
type Store interface {
	Commits(ctx context.Context, stageID, before string, limit int) ([]changeset.Commit, error)
	CommitsSince(ctx context.Context, stageID, id string) ([]changeset.Commit, error)
	Version(ctx context.Context, stageID string) (int64, error)
	Delta(ctx context.Context, commitID string) (changeset.Delta, error)
	Steps(ctx context.Context, commitID string) ([]plan.Record, error)
	Spec(ctx context.Context, stageID string) (setops.Spec, error)
	StageRevert(ctx context.Context, fresh changeset.Changeset, decide changeset.Decide,
		receipt idempotency.Receipt[[]changeset.Command]) error
}

// Commits finds a commit, with the whole of its failure where that is still known.
type Commits interface {
	Commit(ctx context.Context, stageID, id string) (changeset.Commit, error)
}

// Service does it.
type Service struct {
	Store   Store
	Running Commits
	Logs    engine.Logs
	// Exists reports whether the registry has an image.
	Exists func(ctx context.Context, repository, digest string) (bool, error)
	// Admit refuses a command for what only the server knows, as a domain whose record is gone.
	Admit func(ctx context.Context, stage setops.StageRef, c changeset.Command) error
	Box   *seal.Box
	NewID func() string
	Now   func() time.Time
}

// Commits lists the commits of a stage, newest first: at most limit, and where before is set only older ones than that.
// Errors: CommitNotFound.
func (s *Service) Commits(ctx context.Context, stage setops.StageRef, before string, limit int) ([]changeset.Commit, error) {
	if before != "" {
		c, err := s.Running.Commit(ctx, stage.ID, before)
		if err != nil {
			return nil, err
		}
		before = c.ID
	}
	return s.Store.Commits(ctx, stage.ID, before, limit)
}

// Details is all that is known of a commit.
type Details struct {
	Commit changeset.Commit
	Delta  changeset.Delta
	Steps  []plan.Record
	Tasks  []Task
}

// Task is a one-off task that was part of a commit.
type Task struct {
	App, ID string
	Log     []engine.LogLine
}

// Details gives all that is known of a commit. Errors: CommitNotFound.
func (s *Service) Details(ctx context.Context, stage setops.StageRef, id string) (Details, error) {
	c, err := s.Running.Commit(ctx, stage.ID, id)
	if err != nil {
		return Details{}, err
	}
	d := Details{Commit: c}
	if d.Delta, err = s.Store.Delta(ctx, c.ID); err != nil {
		return d, err
	}
	if d.Steps, err = s.Store.Steps(ctx, c.ID); err != nil {
		return d, err
	}
	nameFailed(c, d.Steps)
	for _, step := range d.Steps {
		if step.Kind != plan.RunTask || step.State == "planned" {
			continue
		}
		log, err := s.taskLog(ctx, stage, step.Step)
		if err != nil {
			return d, err
		}
		d.Tasks = append(d.Tasks, Task{App: step.App, ID: step.Task, Log: log})
	}
	return d, nil
}

// nameFailed tells the step that a commit failed at from those that were undone with it.
func nameFailed(c changeset.Commit, steps []plan.Record) {
	if c.Failure == nil {
		return
	}
	for i := range steps {
		if steps[i].ID == c.Failure.Step {
			steps[i].State = "failed"
		}
	}
}

// mostLines is how many lines of a task's log are shown, the last ones.
const mostLines = 9999

// taskLog gives the log of a step's task. It belongs to the commit: the app need not be committed.
func (s *Service) taskLog(ctx context.Context, stage setops.StageRef, step plan.Step) (lines []engine.LogLine, err error) {
	q := engine.LogQuery{StageID: stage.ID, App: step.App, TaskID: step.Task, Limit: mostLines}
	err = s.Logs.ReadLogs(ctx, q, func(l engine.LogLine) bool {
		lines = append(lines, l)
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("read log of task %s: %w", step.Task, err)
	}
	return lines, nil
}

// Changes compares two states of a stage for people. Values of env are opened; those of secret variables are left out, and where
// hide is set those of all, so that only that they differ is told.
func (s *Service) Changes(stage setops.StageRef, before, after setops.Spec, hide bool) ([]changeset.AppChange, error) {
	changes := changeset.Compare(before, after)
	for i := range changes {
		for k := range changes[i].Values {
			if err := s.reveal(stage, changes[i].Name, &changes[i].Values[k], hide); err != nil {
				return nil, err
			}
		}
	}
	return changes, nil
}

// reveal opens a sealed value, or takes its sealed text away.
func (s *Service) reveal(stage setops.StageRef, app string, v *changeset.ValueChange, hide bool) error {
	if !v.Sealed {
		return nil
	}
	hide = hide || v.Secret
	v.Sealed = hide
	for _, value := range []**string{&v.Old, &v.New} {
		if *value == nil {
			continue
		}
		shown := ""
		if !hide {
			var err error
			key := v.Field[len(envField):]
			if shown, err = s.Box.Open(seal.EnvPurpose(stage.ID, app, key), setops.Sealed(**value)); err != nil {
				return fmt.Errorf("variable %s of app %s: %w", key, app, err)
			}
		}
		*value = &shown
	}
	return nil
}

// envField is how the field of a variable begins.
const envField = "env."
