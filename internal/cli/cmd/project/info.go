package project

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
		Use:               "project:info [PROJECT]",
		Short:             "Show a project",
		Example:           "  setops project:info shop\n  setops -p shop project:info -o json",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteProjects,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
}

func runInfo(ctx context.Context, opts *infoOptions) error {
	ref, c, err := opts.kit.AtProject(opts.name)
	if err != nil {
		return err
	}
	p, err := c.Project(ctx, ref)
	if err != nil {
		return err
	}
	return show(opts.kit, p)
}
