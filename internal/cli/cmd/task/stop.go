package task

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type stopOptions struct {
	kit *kit.Kit
	id  string
}

func newStop(k *kit.Kit, run func(context.Context, *stopOptions) error) *cobra.Command {
	opts := &stopOptions{kit: k}
	return &cobra.Command{
		Use:   "task:stop ID",
		Short: "Stop a task",
		Long: "Stop a task: it gets SIGTERM now, and SIGKILL if it is still there after the app's stop timeout. A task of the app\n" +
			"itself is replaced by a new one.",
		Example:           "  setops -p shop -s production --app web task:stop 5b01a061",
		Args:              kit.ExactArgs("the ID of a task"),
		ValidArgsFunction: k.CompleteRunningTasks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.id = args[0]; opts.id == "" {
				return &kit.Usage{
					Message: "The ID of a task is missing: the one that was given is empty.",
					Next:    "`setops task` and `setops app:ps APP` list tasks with their IDs.",
				}
			}
			return run(cmd.Context(), opts)
		},
	}
}

func runStop(ctx context.Context, opts *stopOptions) error {
	ref, c, err := opts.kit.AtApp("")
	if err != nil {
		return err
	}
	if err := c.StopTask(ctx, ref, opts.id); err != nil {
		return err
	}
	return opts.kit.Show(api.StoppedTask{ID: opts.id}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "✅ Stopping task %s.\n", opts.id)
		return err
	})
}
