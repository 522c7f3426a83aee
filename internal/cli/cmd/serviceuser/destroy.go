package serviceuser

import (
	"context"

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
		Use:   "service-user:destroy NAME",
		Short: "Remove a service user",
		Long: "Remove a service user with all its roles and tokens, and what it has staged. It takes an admin of every project and stage\n" +
			"where it has a role. To take a single role away, use `setops user:remove NAME`.",
		Example:           "  setops service-user:destroy deploy --force",
		Args:              kit.ExactArgs("NAME"),
		ValidArgsFunction: k.CompleteServiceUsers,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = args[0]
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.force, "force", false, "confirm that the service user is to be removed")
	return cmd
}

func runDestroy(ctx context.Context, opts *destroyOptions) error {
	organization, c, err := opts.kit.AtOrganization()
	if err != nil {
		return err
	}
	if !opts.force {
		return kit.Unconfirmed("service user " + opts.name + " with its roles, and ends what uses its password")
	}
	if err := c.DestroyServiceUser(ctx, organization, opts.name); err != nil {
		return err
	}
	return opts.kit.ShowDestroyed(opts.name, "service user "+opts.name)
}
