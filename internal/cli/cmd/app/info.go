package app

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type infoOptions struct {
	kit  *kit.Kit
	name string
}

func newInfo(k *kit.Kit, run func(context.Context, *infoOptions) error) *cobra.Command {
	opts := &infoOptions{kit: k}
	return &cobra.Command{
		Use:               "app:info [APP]",
		Short:             "Show everything about an app",
		Long:              "Show the last committed settings of an app and what of it runs. What is staged is in `setops changeset:info`.",
		Example:           "  setops -p shop -s production app:info web\n  setops -p shop -s production app:info web -o json",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.name = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
}

func runInfo(ctx context.Context, opts *infoOptions) error {
	app, err := opts.kit.AppState(ctx, opts.name)
	if err != nil {
		return err
	}
	if err := opts.kit.Show(app, func(w io.Writer) error { return render.App(w, app) }); err != nil {
		return err
	}
	opts.kit.ExplainTasks(app.Status.Tasks)
	if opts.kit.Flags.Output != kit.JSON {
		hint(opts.kit, app)
	}
	return nil
}

// hint says what an app still lacks to run, or for production, where there is something to say.
func hint(k *kit.Kit, app api.App) {
	if app.ActiveRelease == 0 {
		k.Note("\nNothing runs, as no release is active. `release:deploy IMAGE` pushes one and activates it;\nwhere it is pushed already, `release:create DIGEST`, `release:activate ID` and `changeset:commit` do.")
		return
	}
	var hints []string
	if app.Resources.Scale == 1 {
		hints = append(hints, "One task only: while it is replaced after a fault, nothing serves. `resource:set scale 2` adds a second one.")
	}
	if app.Container.HealthCheck == nil {
		hints = append(hints, "No container health check: a task that hangs is not replaced. `container:set health-check` adds one.")
	}
	for _, d := range app.Domains {
		if !d.Validated {
			hints = append(hints, "The domain "+d.Address+" is not validated, so it is not served yet. `domain` shows what to publish, `domain:validate` looks for it.")
		}
	}
	if len(hints) == 0 {
		return
	}
	k.Note("\nBefore production:")
	for _, h := range hints {
		k.Note("   %s", h)
	}
}
