package app

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type destroyOptions struct {
	kit  *kit.Kit
	name string
}

func newDestroy(k *kit.Kit, run func(context.Context, *destroyOptions) error) *cobra.Command {
	opts := &destroyOptions{kit: k}
	return &cobra.Command{
		Use:   "app:destroy APP",
		Short: "Destroy an app",
		Long: "Destroy an app with its releases. It is staged: the app runs on until `setops changeset:commit`, and\n" +
			"`setops changeset:discard` takes it back.",
		Example:           "  setops -p shop -s production app:destroy web",
		Args:              kit.ExactArgs("APP"), // never by a variable
		ValidArgsFunction: k.CompleteApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = args[0]
			return run(cmd.Context(), opts)
		},
	}
}

func runDestroy(ctx context.Context, opts *destroyOptions) error {
	ref, err := opts.kit.App(opts.name)
	if err != nil {
		return err
	}
	return opts.kit.StageCommands(ctx, ref.StageRef, showName(ref.App), api.AppDestroy{Name: ref.App})
}
