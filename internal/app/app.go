// Package app reads what is committed of an app and what runs of it. It changes nothing: that is the affair of staging
// and commit.
package app

import (
	"context"

	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// Store says what is committed.
type Store interface {
	AppNames(ctx context.Context, stageID string) ([]string, error)
	App(ctx context.Context, stageID, name string) (*setops.App, bool, error)
	Serving(ctx context.Context, stageID string) (map[string]plan.Generation, error)
}

// Tasks says what runs.
type Tasks interface {
	List(ctx context.Context, stageID, app string) ([]setops.Task, error)
}

// Service does it.
type Service struct {
	Store   Store
	Tasks   Tasks
	OpenEnv func(stageID string, app *setops.App) (map[string]string, error) // of the variables that may be shown
}

// Info is an app with its environment in clear, save what is secret in it, and its status.
type Info struct {
	App    *setops.App
	Env    map[string]string
	Status Status
}

// Status is what runs of an app. Running and Pending count tasks of the generation that serves; Tasks has all that are
// not ended, of retiring and starting generations too, but no one-off tasks.
type Status struct {
	Running, Desired, Pending int
	Tasks                     []setops.Task
}

// Names lists the apps of a stage.
func (s *Service) Names(ctx context.Context, stage setops.StageRef) ([]string, error) {
	return s.Store.AppNames(ctx, stage.ID)
}

// App gives the committed state of an app. Errors: AppDoesNotExist.
func (s *Service) App(ctx context.Context, stage setops.StageRef, name string) (*setops.App, error) {
	a, ok, err := s.Store.App(ctx, stage.ID, name)
	if err == nil && !ok {
		return nil, setops.Refuse(setops.AppDoesNotExist,
			"there is no app %q on stage %s; `setops -p %s -s %s app` lists them, and one that is only staged needs `changeset:commit`",
			name, stage.Name, stage.Project, stage.Name)
	}
	return a, err
}

// Info gives all of an app. Errors: AppDoesNotExist.
func (s *Service) Info(ctx context.Context, stage setops.StageRef, name string) (Info, error) {
	a, err := s.App(ctx, stage, name)
	if err != nil {
		return Info{}, err
	}
	env, err := s.OpenEnv(stage.ID, a)
	if err != nil {
		return Info{}, err
	}
	status, err := s.status(ctx, stage, a)
	return Info{App: a, Env: env, Status: status}, err
}

// Status gives what runs of an app. Errors: AppDoesNotExist.
func (s *Service) Status(ctx context.Context, stage setops.StageRef, name string) (*setops.App, Status, error) {
	a, err := s.App(ctx, stage, name)
	if err != nil {
		return nil, Status{}, err
	}
	status, err := s.status(ctx, stage, a)
	return a, status, err
}

func (s *Service) status(ctx context.Context, stage setops.StageRef, a *setops.App) (Status, error) {
	serving, err := s.Store.Serving(ctx, stage.ID)
	if err != nil {
		return Status{}, err
	}
	tasks, err := s.Tasks.List(ctx, stage.ID, a.Name)
	if err != nil {
		return Status{}, err
	}
	var status Status
	if a.ActiveRelease > 0 {
		status.Desired = a.Resources.Scale
	}
	for _, t := range tasks {
		if t.OneOff() || t.Status == setops.Stopped {
			continue
		}
		status.Tasks = append(status.Tasks, t)
		if t.Generation != serving[a.Name].ID {
			continue
		}
		if t.Status == setops.Running {
			status.Running++
		}
		if t.Status.Starting() {
			status.Pending++
		}
	}
	return status, nil
}
