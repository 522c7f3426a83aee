package option

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type unsetOptions struct {
	kit    *kit.Kit
	fields []string // as the API calls them
}

func newUnset(k *kit.Kit, run func(context.Context, *unsetOptions) error) *cobra.Command {
	opts := &unsetOptions{kit: k}
	return &cobra.Command{
		Use:   "option:unset OPTION...",
		Short: "Restore defaults of options of a custom domain",
		Long: "Restore the default of each option of the custom domain that --domain names: primary,\n" +
			"redirect-to-primary or static-ip. It is staged until `setops changeset:commit`.",
		Example:   "  setops -p shop -s production --app web --domain www.example.com option:unset primary",
		Args:      kit.SomeArgs("the name of an option"),
		ValidArgs: options,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.fields, err = kit.Fields(cmd, args, options); err != nil {
				return err
			}
			return run(cmd.Context(), opts)
		},
	}
}

func runUnset(ctx context.Context, opts *unsetOptions) error {
	ref, name, err := opts.kit.Domain("")
	if err != nil {
		return err
	}
	return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, api.DomainOptionUnset{Name: ref.App, Domain: name, Fields: opts.fields})
}
