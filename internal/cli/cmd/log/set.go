package log

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type setOptions struct {
	kit *kit.Kit
	log api.LogSet
}

func newSet(k *kit.Kit, run func(context.Context, *setOptions) error) *cobra.Command {
	group := &cobra.Command{
		Use:   "log:set SETTING",
		Short: "Set how long the logs of a stage are kept",
		Long: "Set for how many days the log lines of all apps of a stage are kept. It is staged; from `setops changeset:commit` on\n" +
			"older lines are not shown any more, and are removed soon. No task is restarted. `setops stage:info` shows it.",
		Example: "  setops -p shop -s production log:set retention 30",
	}
	return kit.NewGroup(group, &cobra.Command{
		Use:   "retention DAYS",
		Short: "Set the days that log lines are kept, 1 to 365",
		Args:  kit.ExactArgs("a number of days"),
		RunE: func(cmd *cobra.Command, args []string) error {
			days, err := kit.Number("retention", args[0])
			if err != nil {
				return err
			}
			return run(cmd.Context(), &setOptions{kit: k, log: api.LogSet{Retention: &days}})
		},
	})
}

func runSet(ctx context.Context, opts *setOptions) error {
	ref, err := opts.kit.Stage("")
	if err != nil {
		return err
	}
	return opts.kit.StageCommands(ctx, ref, render.Effects, opts.log)
}
