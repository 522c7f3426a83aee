package domain

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type destroyOptions struct {
	kit    *kit.Kit
	domain string
}

func newDestroy(k *kit.Kit, run func(context.Context, *destroyOptions) error) *cobra.Command {
	opts := &destroyOptions{kit: k}
	return &cobra.Command{
		Use:   "domain:destroy [DOMAIN]",
		Short: "Take a custom domain from an app",
		Long: "Take a custom domain from an app. It is staged: from `setops changeset:commit` on it is not served, and any app\n" +
			"may validate it.",
		Example:           "  setops -p shop -s production --app web domain:destroy www.example.com",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteDomains,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.domain = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
}

func runDestroy(ctx context.Context, opts *destroyOptions) error {
	ref, name, err := opts.kit.Domain(opts.domain)
	if err != nil {
		return err
	}
	echo := func(w io.Writer, effects []api.Effect) error {
		b := new(render.Block)
		for _, e := range effects {
			if e.CustomDomain != nil {
				b.Add("Address", e.CustomDomain.Address)
			}
		}
		return b.Write(w)
	}
	return opts.kit.StageCommands(ctx, ref.StageRef, echo, api.DomainDestroy{Name: ref.App, Domain: name})
}
