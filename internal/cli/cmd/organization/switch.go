package organization

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/spf13/cobra"
)

type switchOptions struct {
	kit  *kit.Kit
	name string
}

func newSwitch(k *kit.Kit, run func(context.Context, *switchOptions) error) *cobra.Command {
	opts := &switchOptions{kit: k}
	return &cobra.Command{
		Use:   "organization:switch ORGANIZATION",
		Short: "Change to another organization",
		Long: "Change to another organization that you belong to: the session ends, and a new one is stored in ~/.setops.yml. What you have\n" +
			"staged stays. Service users and API tokens belong to one organization.",
		Example:           "  setops organization:switch acme",
		Args:              kit.ExactArgs("ORGANIZATION"),
		ValidArgsFunction: k.CompleteOrganizations,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = args[0]
			return run(cmd.Context(), opts)
		},
	}
}

func runSwitch(ctx context.Context, opts *switchOptions) error {
	k := opts.kit
	stored, err := k.Config()
	if err != nil {
		return err
	}
	c, err := k.Client()
	if err != nil {
		return err
	}
	session, err := c.SwitchOrganization(ctx, opts.name)
	if err != nil {
		return err
	}
	if err := k.StoreSession(ctx, stored.StoredPath, c.Address(), session); err != nil {
		return err
	}
	if stored.FromEnv {
		k.Note("SETOPS_TOKEN is set: its session has ended, and the new one is in %s. Unset it.", stored.StoredPath)
	}
	session.Token, session.RefreshToken = "", ""
	return k.Show(session, func(w io.Writer) error {
		return new(render.Block).Add("Organization", session.Organization).Add("Email", session.Email).Add("Server", c.Address()).Write(w)
	})
}
