package resource

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
	known := []string{"cpu", "memory", "scale"}
	opts := &unsetOptions{kit: k}
	return &cobra.Command{
		Use:   "resource:unset SETTING...",
		Short: "Restore default resources of an app",
		Long: "Restore the default of each setting: 128 of cpu, 256 MB of memory, a scale of 1.\n" +
			"It is staged until `setops changeset:commit`.",
		Example:   "  setops -p shop -s production --app web resource:unset cpu memory",
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
	return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, api.ResourceUnset{Name: ref.App, Fields: opts.fields})
}
