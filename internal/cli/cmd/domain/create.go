package domain

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

type createOptions struct {
	kit     *kit.Kit
	domain  string
	primary bool
}

func newCreate(k *kit.Kit, run func(context.Context, *createOptions) error) *cobra.Command {
	opts := &createOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "domain:create [DOMAIN]",
		Short: "Give an app a custom domain",
		Long: "Give an app a domain of your own, or a wildcard. It is staged; after `setops changeset:commit` the command\n" +
			"`setops domain` shows what to publish in DNS, and once that is done `setops domain:validate` makes it serve.",
		Example: "  setops -p shop -s production --app web domain:create www.example.com --primary\n" +
			"  setops -p shop -s production --app web domain:create '*.example.com'",
		Args: kit.AtMostArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.domain = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.primary, "primary", false, "make it the primary domain, which the app's others redirect to")
	return cmd
}

func runCreate(ctx context.Context, opts *createOptions) error {
	return stage(ctx, opts.kit, opts.domain, func(ref client.AppRef, domain string) api.Arguments {
		return api.DomainCreate{Name: ref.App, Domain: domain, Primary: opts.primary}
	})
}
