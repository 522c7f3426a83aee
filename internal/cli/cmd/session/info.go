package session

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

type infoOptions struct{ kit *kit.Kit }

func newInfo(k *kit.Kit, run func(context.Context, *infoOptions) error) *cobra.Command {
	opts := &infoOptions{kit: k}
	return &cobra.Command{
		Use:     "login:info",
		Short:   "Show who is signed in, and where",
		Long:    "Ask the server whose session this is and until when it holds.",
		Example: "  setops login:info",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runInfo(ctx context.Context, opts *infoOptions) error {
	c, err := opts.kit.Client()
	if err != nil {
		return err
	}
	session, err := c.Session(ctx)
	if err != nil {
		return err
	}
	return show(opts.kit, c.Address(), session)
}
