package app

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type createOptions struct {
	kit  *kit.Kit
	name string
}

func newCreate(k *kit.Kit, run func(context.Context, *createOptions) error) *cobra.Command {
	opts := &createOptions{kit: k}
	return &cobra.Command{
		Use:   "app:create APP",
		Short: "Create an app",
		Long: "Create an app. It is staged: images can be pushed to it, and it can run, after `setops changeset:commit`.\n\n" +
			"A name is 3 to 16 lower-case letters, digits and dashes and starts with a letter.",
		Example: "  setops -p shop -s production app:create web",
		Args:    kit.AtMostArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
}

func runCreate(ctx context.Context, opts *createOptions) error {
	ref, err := opts.kit.App(opts.name)
	if err != nil {
		return err
	}
	return opts.kit.StageCommands(ctx, ref.StageRef, showName(ref.App), api.AppCreate{Name: ref.App})
}

func showName(name string) func(io.Writer, []api.Effect) error {
	return func(w io.Writer, _ []api.Effect) error { return new(render.Block).Add("Name", name).Write(w) }
}
