package session

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
		Use:               "session:destroy ID",
		Short:             "Sign out somewhere else",
		Long:              "End one of your sessions, as `setops session` lists them. It takes effect at once.",
		Example:           "  setops session:destroy 3f1a90c2b7de",
		Args:              kit.ExactArgs("ID"),
		ValidArgsFunction: k.CompleteSessions,
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
	if err := c.EndSession(ctx, opts.id); err != nil {
		return err
	}
	return opts.kit.ShowDestroyed(opts.id, "session "+opts.id)
}
