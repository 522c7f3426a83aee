// Package serviceuser holds the commands of the noun service-user: users that are no persons, as pipelines. Each takes effect at
// once.
package serviceuser

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newList(k, runList), newCreate(k, runCreate), newRenew(k, runRenew), newDestroy(k, runDestroy)}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:   "service-user",
		Short: "List the service users of the organization",
		Long: "List the service users of your organization. A service user is no person but a pipeline or a script, and signs in with\n" +
			"`setops login --service-user`. `setops user` shows which role one has on a project or a stage.",
		Example: "  setops service-user\n  setops service-user -o json",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	organization, c, err := opts.kit.AtOrganization()
	if err != nil {
		return err
	}
	users, err := c.ServiceUsers(ctx, organization)
	if err != nil {
		return err
	}
	return opts.kit.Show(map[string]any{"service_users": users}, func(w io.Writer) error { return render.ServiceUsers(w, users) })
}

// show prints what a service user signs in with; done says what was done.
func show(k *kit.Kit, c api.ServiceCredentials, done string) error {
	err := k.Show(c, func(w io.Writer) error {
		if err := render.ServiceCredentials(w, c); err != nil {
			return err
		}
		_, err := io.WriteString(w, "\n✅ "+done+".\n")
		return err
	})
	if err == nil && k.Flags.Output != kit.JSON {
		k.Note("\nThe password is shown this once. Keep it in your pipeline's secrets, and sign in there with\n\n"+
			"   printf '%%s\\n' %s %s \"$SETOPS_PASSWORD\" | setops login --service-user", c.Organization, c.Name)
	}
	return err
}
