package stage

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

type infoOptions struct {
	kit  *kit.Kit
	name string
}

func newInfo(k *kit.Kit, run func(context.Context, *infoOptions) error) *cobra.Command {
	opts := &infoOptions{kit: k}
	return &cobra.Command{
		Use:               "stage:info [STAGE]",
		Short:             "Show a stage",
		Example:           "  setops -p shop stage:info production\n  setops -p shop -s production stage:info -o json",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteStages,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
}

func runInfo(ctx context.Context, opts *infoOptions) error {
	ref, c, err := opts.kit.AtStage(opts.name)
	if err != nil {
		return err
	}
	s, err := c.Stage(ctx, ref)
	if err != nil {
		return err
	}
	return show(opts.kit, s)
}
