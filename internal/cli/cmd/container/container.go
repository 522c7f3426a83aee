// Package container holds the commands of the noun container: how an app's tasks are started and checked from inside.
// Setting and unsetting are staged.
package container

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newShow(k, runShow), newSet(k, runSet), newUnset(k, runUnset)}
}

type showOptions struct{ kit *kit.Kit }

func newShow(k *kit.Kit, run func(context.Context, *showOptions) error) *cobra.Command {
	opts := &showOptions{kit: k}
	return &cobra.Command{
		Use:     "container",
		Short:   "Show how an app's tasks are started and checked",
		Long:    "Show the last committed command, entrypoint and container health check of an app. `[]` is what the image says.",
		Example: "  setops -p shop -s production --app web container",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runShow(ctx context.Context, opts *showOptions) error {
	app, err := opts.kit.AppState(ctx, "")
	if err != nil {
		return err
	}
	return opts.kit.Show(app.Container, func(w io.Writer) error { return render.Container(app.Container).Write(w) })
}
