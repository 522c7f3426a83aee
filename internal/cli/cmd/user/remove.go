package user

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/spf13/cobra"
)

type removeOptions struct {
	kit   *kit.Kit
	email string
}

func newRemove(k *kit.Kit, run func(context.Context, *removeOptions) error) *cobra.Command {
	opts := &removeOptions{kit: k}
	return &cobra.Command{
		Use:   "user:remove EMAIL",
		Short: "Take somebody's role on a stage or a project away",
		Long: "Take somebody's role on the stage in scope or, without one, on the project away; an invitation is withdrawn. It takes effect\n" +
			"with the next request of that user. Roles on other stages and projects stay. The last admin cannot be removed.",
		Example:           "  setops -p shop user:remove grace@example.com\n  setops -p shop -s production user:remove deploy",
		Args:              kit.ExactArgs("EMAIL"),
		ValidArgsFunction: k.CompleteUsers,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.email = args[0]
			return run(cmd.Context(), opts)
		},
	}
}

func runRemove(ctx context.Context, opts *removeOptions) error {
	at, c, err := opts.kit.AtPlace()
	if err != nil {
		return err
	}
	gone, err := c.RemoveUser(ctx, at, opts.email)
	if err != nil {
		return err
	}
	return opts.kit.Show(gone, func(w io.Writer) error {
		if err := render.Role(w, gone.Email, gone.Role); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "\n✅ Removed user %s from %s.\n", gone.Email, at)
		return err
	})
}
