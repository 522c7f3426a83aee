package stage

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

type createOptions struct {
	kit          *kit.Kit
	name         string
	ignoreExists bool
}

func newCreate(k *kit.Kit, run func(context.Context, *createOptions) error) *cobra.Command {
	opts := &createOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "stage:create [STAGE]",
		Short: "Create a stage",
		Long: "Create a stage, an environment of its own: no other stage shares its network, data or secrets. It takes effect at once.\n\n" +
			"A name is 3 to 12 lower-case letters and digits and starts with a letter.",
		Example: "  setops -p shop stage:create production\n  setops -p shop stage:create production --ignore-exists",
		Args:    kit.AtMostArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.ignoreExists, "ignore-exists", false, "show the stage where it exists already")
	return cmd
}

func runCreate(ctx context.Context, opts *createOptions) error {
	ref, c, err := opts.kit.AtStage(opts.name)
	if err != nil {
		return err
	}
	s, err := c.CreateStage(ctx, ref)
	if opts.ignoreExists && kit.HasCode(err, "StageAlreadyExists") {
		s, err = c.Stage(ctx, ref)
	}
	if err != nil {
		return err
	}
	return show(opts.kit, s)
}
