package log

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
	known := []string{"retention"}
	opts := &unsetOptions{kit: k}
	return &cobra.Command{
		Use:       "log:unset SETTING",
		Short:     "Keep the logs of a stage as long as by default",
		Long:      "Restore the default: log lines are kept for 14 days. It is staged.",
		Example:   "  setops -p shop -s production log:unset retention",
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
	ref, err := opts.kit.Stage("")
	if err != nil {
		return err
	}
	return opts.kit.StageCommands(ctx, ref, render.Effects, api.LogUnset{Fields: opts.fields})
}
