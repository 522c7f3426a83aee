package project

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
		Use:   "project:create [PROJECT]",
		Short: "Create a project",
		Long: "Create a project, a namespace for stages. It takes effect at once, and you become its admin.\n\n" +
			"A name is 3 to 20 lower-case letters and digits and starts with a letter.",
		Example: "  setops project:create shop\n  setops project:create shop --ignore-exists",
		Args:    kit.AtMostArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.ignoreExists, "ignore-exists", false, "show the project where it exists already")
	return cmd
}

func runCreate(ctx context.Context, opts *createOptions) error {
	ref, c, err := opts.kit.AtProject(opts.name)
	if err != nil {
		return err
	}
	p, err := c.CreateProject(ctx, ref)
	if opts.ignoreExists && kit.HasCode(err, "ProjectAlreadyExists") {
		p, err = c.Project(ctx, ref)
	}
	if err != nil {
		return err
	}
	return show(opts.kit, p)
}
