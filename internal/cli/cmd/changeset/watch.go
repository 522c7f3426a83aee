package changeset

import (
	"context"
	"errors"
	"fmt"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// follow shows the progress of a commit from where it is until it has ended, and then how.
func follow(ctx context.Context, k *kit.Kit, c *client.Client, ref client.StageRef, id string, last api.Progress) error {
	last, err := Watch(ctx, k, c, ref, id, last)
	if err != nil {
		return err
	}
	return ShowEnd(ctx, k, c, ref, id, last, itself)
}

// Watch shows the progress of a commit from where it is until it has ended.
func Watch(ctx context.Context, k *kit.Kit, c *client.Client, ref client.StageRef, id string, last api.Progress) (api.Progress, error) {
	return watch(ctx, k, c, ref, id, last, func(func(), api.Progress) error { return nil })
}

// WatchTold is WatchNew; told hears of each progress before it is shown, and may print after it has called pause. Its error ends
// the watch.
func WatchTold(ctx context.Context, k *kit.Kit, c *client.Client, ref client.StageRef, commit api.Commit,
	told func(pause func(), p api.Progress) error,
) (api.Progress, error) {
	return watch(ctx, k, c, ref, commit.ID, progressOf(commit), told)
}

func watch(ctx context.Context, k *kit.Kit, c *client.Client, ref client.StageRef, id string, last api.Progress,
	told func(pause func(), p api.Progress) error,
) (api.Progress, error) {
	progress := render.NewProgress(k.Notes(), k.Animated())
	progress.Update(last)
	var err, stopped error
	if client.Live(last.State) {
		watched, stop := context.WithCancel(ctx)
		defer stop()
		last, err = c.WatchCommit(watched, ref, id, func(p api.Progress) {
			if stopped = told(progress.End, p); stopped != nil {
				stop()
				return
			}
			progress.Update(p)
		})
	}
	progress.End()
	if stopped != nil {
		err = stopped
	}
	if err != nil {
		return last, detached(ref, id, err)
	}
	return last, nil
}

// WatchNew is Watch of a commit that has just been asked for.
func WatchNew(ctx context.Context, k *kit.Kit, c *client.Client, ref client.StageRef, commit api.Commit) (api.Progress, error) {
	return Watch(ctx, k, c, ref, commit.ID, progressOf(commit))
}

func progressOf(c api.Commit) api.Progress {
	return api.Progress{State: c.State, Phase: c.Phase, Done: c.Done, Total: c.Total, Ahead: c.Ahead, Failure: c.Failure}
}

// detached says what becomes of a commit that is no longer watched.
func detached(ref client.StageRef, id string, err error) error {
	f := &kit.Failure{
		Next: line(ref, "changeset:attach "+id) + " shows how it goes on, " + line(ref, "changeset:cancel "+id) + " stops it.",
		Err:  err,
	}
	var lost *client.ConnectionError
	switch {
	case errors.Is(err, context.Canceled):
		f.Message, f.Code, f.Plain = "Interrupted; the commit goes on in the server.", kit.ExitInterrupted, true
	case errors.As(err, &lost):
		f.Message = fmt.Sprintf("The connection to %s was lost and could not be made again; the commit goes on in the server.", lost.Address)
	default:
		return err
	}
	return f
}
