package serviceuser

import (
	"context"
	"fmt"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type createOptions struct {
	kit  *kit.Kit
	user api.NewServiceUser
}

func newCreate(k *kit.Kit, run func(context.Context, *createOptions) error) *cobra.Command {
	opts := &createOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "service-user:create NAME",
		Short: "Create a service user with a role",
		Long: "Create a service user of your organization with a role on the stage in scope or, without one, on the project. Its password\n" +
			"is generated and shown once. More roles are given by `setops user:invite NAME`.\n\n" +
			"A name is 3 to 32 lower-case letters, digits and dashes and starts with a letter.",
		Example: "  setops -p shop -s production service-user:create deploy\n  setops -p shop service-user:create pipeline --role admin",
		Args:    kit.ExactArgs("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.user.Name = args[0]
			return run(cmd.Context(), opts)
		},
	}
	kit.RoleFlag(cmd, &opts.user.Role)
	return cmd
}

func runCreate(ctx context.Context, opts *createOptions) error {
	at, c, err := opts.kit.AtPlace()
	if err != nil {
		return err
	}
	made, err := c.CreateServiceUser(ctx, at, opts.user)
	if err != nil {
		return err
	}
	return show(opts.kit, made, fmt.Sprintf("Created service user %s for %s", made.Name, at))
}
