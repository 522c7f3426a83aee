package release

import (
	"context"
	"errors"
	"fmt"

	"github.com/setopsco/setops/internal/cli/cmd/changeset"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// checkBefore is how a failure names the task before the activation.
const checkBefore = "task before activation"

// commit makes a release of an image that is in the app's repository, and activates it. next is what to type where that is refused.
func (d deploy) commit(ctx context.Context, pushed, next string) error {
	deployed, err := d.client.Deploy(ctx, d.ref, api.Deploy{Image: pushed, Before: d.before, Message: d.history(), Force: d.force})
	if err != nil {
		return refused(ctx, err, next)
	}
	if deployed.Commit == nil {
		return d.active(deployed)
	}
	d.kit.Note("Deploying release %d, %s…", deployed.ReleaseID, deployed.Digest)
	log := taskLog{deploy: d}
	last, err := changeset.WatchTold(ctx, d.kit, d.client, d.ref.StageRef, *deployed.Commit, func(pause func(), p api.Progress) error {
		return log.follow(ctx, pause, p)
	})
	if err != nil {
		return err
	}
	if err := log.whole(ctx, deployed.Commit.ID); err != nil {
		return err
	}
	if last.State == changeset.StateDone {
		return d.succeeded(ctx, deployed, last)
	}
	if last.Failure != nil && log.shown {
		last.Failure.Log = nil
	}
	err = changeset.ShowEnd(ctx, d.kit, d.client, d.ref.StageRef, deployed.Commit.ID, last, func(c api.Commit) any {
		deployed.Commit = &c
		return deployed
	})
	return named(phaseOf(last), err)
}

// refused says what keeps the image from being deployed.
func refused(ctx context.Context, err error, next string) error {
	var refused *api.ServiceError
	if !errors.As(err, &refused) && ctx.Err() == nil {
		return err // how a lost connection is told is known elsewhere
	}
	return failedIn(ctx, phaseRelease, err, next)
}

// history is what the history says of the commit, at most as long as it takes.
func (d deploy) history() string {
	if d.message != "" {
		return d.message
	}
	text := []rune("Deploy " + d.image)
	return string(text[:min(len(text), 1000)])
}

func (d deploy) succeeded(ctx context.Context, deployed api.Deployed, last api.Progress) error {
	d.kit.Note("Release %d is active.", deployed.ReleaseID)
	if d.kit.Flags.Output == kit.JSON {
		commit, err := changeset.Ended(ctx, d.client, d.ref.StageRef, deployed.Commit.ID, last)
		if err != nil {
			return err
		}
		deployed.Commit = &commit
	}
	return d.show(deployed)
}

// phaseOf tells in which phase of the deploy its commit failed.
func phaseOf(p api.Progress) string {
	switch f := p.Failure; {
	case f == nil, f.App == "":
		return phaseCommit
	case f.Check == checkBefore:
		return phaseTask
	}
	return phaseActivate
}

// named puts the phase before what is said of a commit that failed.
func named(phase string, err error) error {
	var f *kit.Failure
	if !errors.As(err, &f) {
		return err
	}
	phased := *f
	phased.Message = fmt.Sprintf("The deploy failed in the phase %s.\n%s", phase, f.Message)
	return &phased
}

// taskLog shows the log of the task before the activation, while it runs where the server tells of it, else afterwards.
type taskLog struct {
	deploy
	shown bool
}

// follow shows the log of a task that the progress tells of, to its end.
func (l *taskLog) follow(ctx context.Context, pause func(), p api.Progress) error {
	if p.TaskID == "" || l.shown {
		return nil
	}
	pause()
	l.shown = true
	l.kit.Note("Running the pre-deploy task %s…", p.TaskID)
	query := client.LogQuery{Task: p.TaskID, Whole: true}
	_, err := l.client.FollowTask(ctx, l.ref, query, func(line api.LogLine) error { return render.LogLine(l.kit.Notes(), line, true) })
	if err != nil && ctx.Err() == nil { // the commit goes on without anybody who reads it
		l.kit.Note("Its log cannot be shown: %s", kit.Sentence(err.Error()))
		err = nil
	}
	return err
}

// whole shows the log of a task that was over before the server told of it.
func (l *taskLog) whole(ctx context.Context, commit string) error {
	if l.shown || len(l.before) == 0 {
		return nil
	}
	details, err := l.client.CommitDetails(ctx, l.ref.StageRef, commit)
	if err != nil {
		return err
	}
	for _, t := range details.Tasks {
		l.shown = true
		l.kit.Note("The pre-deploy task %s wrote:", t.TaskID)
		for _, line := range t.Log {
			if err := render.LogLine(l.kit.Notes(), line, true); err != nil {
				return err
			}
		}
	}
	return nil
}
