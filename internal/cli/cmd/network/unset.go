package network

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
	known := []string{"protocol", "public", "port", "health-check-path", "health-check-status"}
	opts := &unsetOptions{kit: k}
	return &cobra.Command{
		Use:   "network:unset SETTING...",
		Short: "Restore defaults of how an app is reached",
		Long: "Restore the default of each setting: protocol, public, port, health-check-path or health-check-status.\n" +
			"It is staged until `setops changeset:commit`.",
		Example:   "  setops -p shop -s production --app web network:unset health-check-path",
		Args:      kit.SomeArgs("the name of a setting"),
		ValidArgs: known,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.fields, err = kit.Fields(cmd, args, known); err != nil {
				return err
			}
			return run(cmd.Context(), opts)
		},
	}
}

func runUnset(ctx context.Context, opts *unsetOptions) error {
	ref, err := opts.kit.App("")
	if err != nil {
		return err
	}
	return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, api.NetworkUnset{Name: ref.App, Fields: opts.fields})
}
