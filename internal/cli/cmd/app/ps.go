package app

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/spf13/cobra"
)

type psOptions struct {
	kit  *kit.Kit
	name string
}

func newPs(k *kit.Kit, run func(context.Context, *psOptions) error) *cobra.Command {
	opts := &psOptions{kit: k}
	return &cobra.Command{
		Use:   "app:ps [APP]",
		Short: "Show what of an app runs",
		Long: "Show what of an app runs: how many tasks of the wanted number are up, how many are on their way, and each task\n" +
			"with its release, status and health.",
		Example:           "  setops -p shop -s production app:ps web",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
}

func runPs(ctx context.Context, opts *psOptions) error {
	ref, c, err := opts.kit.AtApp(opts.name)
	if err != nil {
		return err
	}
	status, err := c.AppStatus(ctx, ref)
	if err != nil {
		return err
	}
	err = opts.kit.Show(status, func(w io.Writer) error { return render.Status(w, status) })
	opts.kit.ExplainTasks(status.Tasks)
	return err
}
