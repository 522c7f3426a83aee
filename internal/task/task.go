// Package task runs, lists and stops tasks and reads their logs, for people. What keeps the tasks of an app alive is the
// engine.
package task

import (
	"context"
	"errors"
	"strings"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// Store says what is committed and what a user has staged.
type Store interface {
	App(ctx context.Context, stageID, name string) (*setops.App, bool, error)
	StagedCommands(ctx context.Context, stageID, userID string) ([]changeset.Command, error)
}

// Images looks images up in the repositories of apps.
type Images interface {
	// Exists reports whether the repository has the image; it stays there then for some time.
	Exists(ctx context.Context, repository, digest string) (bool, error)
	// Digest gives the image that a tag names now.
	Digest(ctx context.Context, repository, tag string) (digest string, ok bool, err error)
	// Tags are all of a repository, sorted.
	Tags(ctx context.Context, repository string) ([]string, error)
}

// Service does it.
type Service struct {
	Store  Store
	Images Images
	Engine interface {
		engine.Tasks
		engine.Attacher
		engine.Joiner
		engine.Logs
		EnsureStage(ctx context.Context, s setops.StageRef, fence int64) error
	}
	OpenEnv func(stageID string, app *setops.App) (map[string]string, error)

	attached attached
}

// Request is a one-off task to run. Zero values, but that of ID, are as the app has them.
type Request struct {
	ID                    string // of the task: 32 hexadecimal digits. One that is there already is not run again
	Arguments, Entrypoint []string
	Release               int
	Image                 string // a tag or a digest in the app's repository, in place of Release; it needs none
	CPU, Memory           int
	Console               *engine.Console // somebody will join it; nil: nobody
}

// Run starts a one-off task with the committed settings of an app; only its release may be one that the user has
// staged. Errors: AppDoesNotExist, AppHasNoActiveRelease, ReleaseDoesNotExist, ValidationFailed,
// StageDoesNotExist for one that is being destroyed.
func (s *Service) Run(ctx context.Context, stage setops.StageRef, user setops.User, app *setops.App, r Request) (setops.Task, error) {
	if err := check(r); err != nil {
		return setops.Task{}, err
	}
	release, err := s.toRun(ctx, stage, user, app, r)
	if err != nil {
		return setops.Task{}, err
	}
	env, err := s.OpenEnv(stage.ID, app)
	if err != nil {
		return setops.Task{}, err
	}
	if err := s.Engine.EnsureStage(ctx, stage, 0); err != nil {
		return setops.Task{}, gone(stage, err)
	}
	one := engine.OneOffOf(stage, app, release, r.ID, env, engine.Override{
		Entrypoint: r.Entrypoint, Arguments: r.Arguments, CPU: r.CPU, Memory: r.Memory,
	})
	one.Console = r.Console
	t, err := s.Engine.Run(ctx, one)
	return t, gone(stage, err)
}

// gone says why the engine begins nothing on a stage any more.
func gone(stage setops.StageRef, err error) error {
	if errors.Is(err, engine.ErrFenced) {
		return setops.Refuse(setops.StageDoesNotExist, "stage %s is being destroyed; nothing can be run on it any more", stage.Name)
	}
	return err
}

func check(r Request) error {
	var broken []setops.Violation
	if r.CPU != 0 {
		broken = append(broken, setops.CheckResource("cpu", r.CPU)...)
	}
	if r.Image != "" && r.Release != 0 {
		broken = append(broken, setops.Violation{Field: "image_tag", Validator: setops.Invalid, Message: "a task runs a release or an image; name one of them"})
	}
	if r.Memory != 0 {
		broken = append(broken, setops.CheckResource("memory", r.Memory)...)
	}
	for field, argv := range map[string][]string{"arguments": r.Arguments, "entrypoint": r.Entrypoint} {
		if len(argv) > 0 {
			broken = append(broken, setops.CheckArgv(field, argv)...)
		}
	}
	return setops.InvalidInput(setops.ValidationFailed, broken)
}

// release finds the release to run: the active one, a committed one, or one in the user's own changeset.
func (s *Service) release(ctx context.Context, stage setops.StageRef, user setops.User, app *setops.App, id int) (setops.Release, error) {
	if id == 0 {
		if app.ActiveRelease == 0 {
			return setops.Release{}, setops.Refuse(setops.AppHasNoActiveRelease,
				"app %s has no active release; name one with --release, or activate one", app.Name)
		}
		id = app.ActiveRelease
	}
	if r, ok := app.Release(id); ok {
		return r, nil
	}
	staged, err := s.Store.StagedCommands(ctx, stage.ID, user.ID)
	if err != nil {
		return setops.Release{}, err
	}
	for _, c := range staged {
		if r, ok := c.(*changeset.ReleaseCreate); ok && r.AppName == app.Name && r.ID == id {
			return setops.Release{ID: r.ID, Digest: r.Digest, Tag: r.Tag}, nil
		}
	}
	return setops.Release{}, setops.Refuse(setops.ReleaseDoesNotExist,
		"app %s has no release %d, and you have staged none of that number; `setops --app %s release` lists them", app.Name, id, app.Name)
}

// List gives the tasks of an app, one-off tasks too, and ended ones for an hour.
func (s *Service) List(ctx context.Context, stage setops.StageRef, app string) ([]setops.Task, error) {
	return s.Engine.List(ctx, stage.ID, app)
}

// Find gives the task of an app that an id, or a unique beginning of one, names. Errors: TaskDoesNotExist.
func (s *Service) Find(ctx context.Context, stage setops.StageRef, app, id string) (setops.Task, error) {
	tasks, err := s.Engine.List(ctx, stage.ID, app)
	if err != nil {
		return setops.Task{}, err
	}
	var found []setops.Task
	for _, t := range tasks {
		if id != "" && strings.HasPrefix(t.ID, strings.ToLower(id)) {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return setops.Task{}, setops.Refuse(setops.TaskDoesNotExist,
			"app %s has no task %q, or it ended more than an hour ago; `setops --app %s task` lists them", app, id, app)
	}
	return setops.Task{}, setops.Refuse(setops.TaskDoesNotExist, "%d tasks of app %s begin with %q; give more of the id", len(found), app, id)
}

// Stop ends a task. One of an app's generation is replaced. Errors: TaskDoesNotExist.
func (s *Service) Stop(ctx context.Context, stage setops.StageRef, app, id string) error {
	t, err := s.Find(ctx, stage, app, id)
	if err != nil {
		return err
	}
	return s.Engine.Stop(ctx, t.ID)
}

// Limits of what `-n` takes. The rule: behaviour reference, "logs".
const (
	linesMin = 1
	linesMax = 9999
)

// ReadLog calls yield for the lines that q selects; q.TaskID may be the beginning of an id, also of a task that is not
// listed any more. Only what is followed has no limit where q.Limit is 0. Errors: ValidationFailed.
func (s *Service) ReadLog(ctx context.Context, stage setops.StageRef, q engine.LogQuery, yield func(engine.LogLine) bool) error {
	least := linesMin
	if q.Follow {
		least = 0
	}
	if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckRange("limit", q.Limit, least, linesMax)); err != nil {
		return err
	}
	if len(q.TaskID) > 0 && len(q.TaskID) < idLength {
		t, err := s.Find(ctx, stage, q.App, q.TaskID)
		if err != nil {
			return err
		}
		q.TaskID = t.ID
	}
	q.StageID = stage.ID
	return s.Engine.ReadLogs(ctx, q, yield)
}

// idLength is the length of a whole task id.
const idLength = 32

// Wait returns a task once it has ended and its log is complete.
func (s *Service) Wait(ctx context.Context, id string) (setops.Task, error) {
	return s.Engine.Wait(ctx, id)
}
