package task

import (
	"context"
	"errors"
	"fmt"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// attach shows the log of a one-off task until the task has ended, and returns its exit code as an error.
func attach(ctx context.Context, k *kit.Kit, c *client.Client, ref client.AppRef, task api.Task) error {
	log := k.Out
	if k.Flags.Output == kit.JSON {
		log = k.Notes() // standard output is for the task alone
	}
	query := client.LogQuery{Task: task.ID, Whole: true}
	ended, err := c.FollowTask(ctx, ref, query, func(l api.LogLine) error { return render.LogLine(log, l, true) })
	if err != nil {
		return detached(ref, task, err)
	}
	if k.Flags.Output == kit.JSON {
		if err := render.JSON(k.Out, ended); err != nil {
			return err
		}
	}
	switch {
	case ended.ExitCode == nil:
		return &kit.Failure{Message: fmt.Sprintf("Task %s has ended and its exit code was lost.", task.ID), Next: ended.Reason}
	case *ended.ExitCode != 0:
		return kit.ExitCode(*ended.ExitCode)
	}
	return nil
}

// leave says how to go on with a task that was watched long enough.
func leave(k *kit.Kit, ref client.AppRef, task api.Task) error {
	k.Note("Task %s goes on in the server. %s", task.ID, goOn(ref, task))
	if k.Flags.Output == kit.JSON {
		return render.JSON(k.Out, task)
	}
	return nil
}

func goOn(ref client.AppRef, task api.Task) string {
	at := fmt.Sprintf("setops -p %s -s %s --app %s", ref.Project, ref.Stage, ref.App)
	return fmt.Sprintf("`%s log -f --task %s` shows its log, `%s task:stop %s` stops it.", at, task.ID, at, task.ID)
}

// detached says what becomes of a task that is no longer watched.
func detached(ref client.AppRef, task api.Task, err error) error {
	f := &kit.Failure{Next: goOn(ref, task), Err: err}
	var lost *client.ConnectionError
	switch {
	case errors.Is(err, context.Canceled):
		f.Message, f.Code, f.Plain = fmt.Sprintf("Interrupted; task %s goes on in the server.", task.ID), kit.ExitInterrupted, true
	case errors.As(err, &lost):
		f.Message = fmt.Sprintf("The connection to %s was lost and could not be made again; task %s goes on in the server.", lost.Address, task.ID)
	default:
		return err
	}
	return f
}
