package project

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
		Use:   "project:destroy [PROJECT]",
		Short: "Destroy a project and all its stages",
		Long: "Destroy a project with all its stages: their tasks are stopped, their images, settings and data are removed.\n" +
			"Commits that wait or run are cancelled first. It cannot be undone, so it needs --force.",
		Example:           "  setops project:destroy shop --force",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteProjects,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.force, "force", false, "confirm that everything in the project is to be lost")
	return cmd
}

func runDestroy(ctx context.Context, opts *destroyOptions) error {
	ref, err := opts.kit.Project(opts.name)
	if err != nil {
		return err
	}
	if !opts.force {
		return kit.Unconfirmed(fmt.Sprintf("project %s with all its stages, their apps, images and data", ref.Project))
	}
	c, err := opts.kit.Client()
	if err != nil {
		return err
	}
	if err := c.DestroyProject(ctx, ref); err != nil {
		return err
	}
	return opts.kit.ShowDestroyed(ref.Project, "project "+ref.Project)
}
