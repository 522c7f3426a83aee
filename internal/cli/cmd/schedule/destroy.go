package schedule

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type destroyOptions struct {
	kit  *kit.Kit
	name string
}

func newDestroy(k *kit.Kit, run func(context.Context, *destroyOptions) error) *cobra.Command {
	opts := &destroyOptions{kit: k}
	return &cobra.Command{
		Use:   "schedule:destroy NAME",
		Short: "End a schedule of an app",
		Long: "End a schedule. It is staged: from `setops changeset:commit` on it is not run any more. A run that has begun goes on to\n" +
			"its end; `setops task:stop` stops it.",
		Example:           "  setops -p shop -s production --app web schedule:destroy nightly",
		Args:              kit.ExactArgs("the NAME of the schedule"),
		ValidArgsFunction: k.CompleteSchedules,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = args[0]
			return run(cmd.Context(), opts)
		},
	}
}

func runDestroy(ctx context.Context, opts *destroyOptions) error {
	ref, err := opts.kit.App("")
	if err != nil {
		return err
	}
	return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, api.ScheduleDestroy{Name: ref.App, Schedule: opts.name})
}
