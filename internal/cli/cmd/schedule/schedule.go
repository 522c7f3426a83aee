// Package schedule holds the commands of the noun schedule: what of an app is run regularly. All but listing are staged.
package schedule

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newList(k, runList), newCreate(k, runCreate), newDestroy(k, runDestroy)}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:   "schedule",
		Short: "List what of an app is run regularly",
		Long: "List the last committed schedules of an app, with the time at which each is due next and what became of its last run.\n" +
			"All times are UTC. `setops log --task ID` shows the log of a run.",
		Example: "  setops -p shop -s production --app web schedule",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	ref, c, err := opts.kit.AtApp("")
	if err != nil {
		return err
	}
	schedules, err := c.Schedules(ctx, ref)
	if err != nil {
		return err
	}
	return opts.kit.Show(api.ScheduleList{Schedules: schedules}, func(w io.Writer) error { return render.Schedules(w, schedules) })
}
