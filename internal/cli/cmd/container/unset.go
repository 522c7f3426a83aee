package container

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
	known := []string{"command", "entrypoint", "health-check", "start-timeout", "stop-timeout"}
	opts := &unsetOptions{kit: k}
	return &cobra.Command{
		Use:   "container:unset SETTING...",
		Short: "Restore defaults of how an app's tasks are started",
		Long: "Restore the default of each setting: command and entrypoint are then the image's, the health check is off.\n" +
			"Settings are command, entrypoint, health-check, start-timeout and stop-timeout. It is staged.",
		Example:   "  setops -p shop -s production --app web container:unset health-check",
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
	return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, api.ContainerUnset{Name: ref.App, Fields: opts.fields})
}
