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

// interact runs a task whose program has the terminal, or standard input and output, and returns its exit code as an error.
func interact(ctx context.Context, k *kit.Kit, c *client.Client, ref client.AppRef, run api.RunTask) error {
	run.Interactive = &api.Interactive{}
	if columns, rows, ok := k.TerminalSize(); ok && k.Flags.Output != kit.JSON {
		run.Interactive.Terminal, run.Interactive.TerminalSize = true, sizeOf(columns, rows)
	}
	task, err := c.RunTask(ctx, ref, run)
	if err != nil {
		return err
	}
	k.Note("Starting Task %s...", task.ID)
	var end api.AttachEnd
	err = withStreams(ctx, k, func(ctx context.Context, a client.Attached) (err error) {
		end, err = c.Join(ctx, ref, task.ID, a)
		return err
	})
	if err != nil {
		return deserted(task.ID, err)
	}
	if k.Flags.Output == kit.JSON {
		if task, err = c.Task(ctx, ref, task.ID); err != nil {
			return err
		}
		if err := render.JSON(k.Out, task); err != nil {
			return err
		}
	}
	return interacted(k, task.ID, end)
}

// interacted tells how a task has ended.
func interacted(k *kit.Kit, id string, end api.AttachEnd) error {
	switch {
	case end.ExitCode == nil:
		return &kit.Failure{Message: fmt.Sprintf("Task %s has ended without an exit code.", id), Next: end.Reason}
	case end.Reason != "":
		k.Note("Task %s has ended: %s.", id, end.Reason)
	}
	if *end.ExitCode != 0 {
		return kit.ExitCode(*end.ExitCode)
	}
	return nil
}

// deserted says what becomes of a task that this command did not see to its end.
func deserted(id string, err error) error {
	var lost *client.ConnectionError
	switch {
	case errors.Is(err, context.Canceled):
		return &kit.Failure{Message: fmt.Sprintf("Interrupted; task %s is being stopped.", id), Code: kit.ExitInterrupted, Plain: true, Err: err}
	case errors.As(err, &lost):
		return &kit.Failure{
			Message: fmt.Sprintf("There is no connection to %s (any more). Task %s is being stopped; if the server is down, once it is up again.", lost.Address, id),
			Next:    fmt.Sprintf("`setops log --task %s` shows what it wrote.", id), Err: err,
		}
	}
	return err
}
