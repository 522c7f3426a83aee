package token

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

type destroyOptions struct {
	kit *kit.Kit
	id  string
}

func newDestroy(k *kit.Kit, run func(context.Context, *destroyOptions) error) *cobra.Command {
	opts := &destroyOptions{kit: k}
	return &cobra.Command{
		Use:               "token:destroy ID",
		Short:             "Make an API token worthless",
		Long:              "Destroy one of your API tokens, as `setops token` lists them. It takes effect at once.",
		Example:           "  setops token:destroy 3f1a90c2b7de",
		Args:              kit.ExactArgs("ID"),
		ValidArgsFunction: k.CompleteTokens,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.id = args[0]
			return run(cmd.Context(), opts)
		},
	}
}

func runDestroy(ctx context.Context, opts *destroyOptions) error {
	c, err := opts.kit.Client()
	if err != nil {
		return err
	}
	if err := c.DestroyToken(ctx, opts.id); err != nil {
		return err
	}
	return opts.kit.ShowDestroyed(opts.id, "token "+opts.id)
}
