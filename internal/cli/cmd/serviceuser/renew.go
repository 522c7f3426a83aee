package serviceuser

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

type renewOptions struct {
	kit  *kit.Kit
	name string
}

func newRenew(k *kit.Kit, run func(context.Context, *renewOptions) error) *cobra.Command {
	opts := &renewOptions{kit: k}
	return &cobra.Command{
		Use:   "service-user:renew NAME",
		Short: "Give a service user a new password",
		Long: "Give a service user a new password, which is generated and shown once. The old one is worthless from then on, and so are all\n" +
			"tokens that the service user has. It takes an admin of every project and stage where it has a role.",
		Example:           "  setops service-user:renew deploy",
		Args:              kit.ExactArgs("NAME"),
		ValidArgsFunction: k.CompleteServiceUsers,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = args[0]
			return run(cmd.Context(), opts)
		},
	}
}

func runRenew(ctx context.Context, opts *renewOptions) error {
	organization, c, err := opts.kit.AtOrganization()
	if err != nil {
		return err
	}
	renewed, err := c.RenewServiceUser(ctx, organization, opts.name)
	if err != nil {
		return err
	}
	return show(opts.kit, renewed, "Renewed service user "+renewed.Name)
}
