package stage

import (
	"context"
	"fmt"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

type destroyOptions struct {
	kit   *kit.Kit
	name  string
	force bool
}

func newDestroy(k *kit.Kit, run func(context.Context, *destroyOptions) error) *cobra.Command {
	opts := &destroyOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "stage:destroy [STAGE]",
		Short: "Destroy a stage and everything in it",
		Long: "Destroy a stage: its tasks are stopped, its images, settings and data are removed.\n" +
			"Commits that wait or run are cancelled first. It cannot be undone, so it needs --force.",
		Example:           "  setops -p shop stage:destroy staging --force",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteStages,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.force, "force", false, "confirm that everything in the stage is to be lost")
	return cmd
}

func runDestroy(ctx context.Context, opts *destroyOptions) error {
	ref, err := opts.kit.Stage(opts.name)
	if err != nil {
		return err
	}
	if !opts.force {
		return kit.Unconfirmed(fmt.Sprintf("stage %s of project %s with its apps, images and data", ref.Stage, ref.Project))
	}
	c, err := opts.kit.Client()
	if err != nil {
		return err
	}
	if err := c.DestroyStage(ctx, ref); err != nil {
		return err
	}
	return opts.kit.ShowDestroyed(ref.Stage, fmt.Sprintf("stage %s of project %s", ref.Stage, ref.Project))
}
