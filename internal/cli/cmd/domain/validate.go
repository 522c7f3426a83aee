package domain

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

type validateOptions struct {
	kit    *kit.Kit
	domain string
}

func newValidate(k *kit.Kit, run func(context.Context, *validateOptions) error) *cobra.Command {
	opts := &validateOptions{kit: k}
	return &cobra.Command{
		Use:   "domain:validate [DOMAIN]",
		Short: "Check that a custom domain is yours, and serve it",
		Long: "Look up the validation record of a custom domain in DNS, at once. If it is there, serving the domain is staged until\n" +
			"`setops changeset:commit`. A domain stays validated until it is destroyed, without the record too.",
		Example:           "  setops -p shop -s production --app web domain:validate www.example.com",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteDomains,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.domain = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
}

func runValidate(ctx context.Context, opts *validateOptions) error {
	return stage(ctx, opts.kit, opts.domain, func(ref client.AppRef, domain string) api.Arguments {
		return api.DomainValidate{Name: ref.App, Domain: domain}
	})
}
