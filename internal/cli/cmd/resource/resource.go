// Package resource holds the commands of the noun resource: what an app's tasks get, and how many there are. Setting and
// unsetting are staged.
package resource

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
		Use:     "resource",
		Short:   "Show CPU, memory and number of an app's tasks",
		Long:    "Show the last committed resources of an app. 1024 CPU are one vCPU, a reservation; memory is a limit in MB.",
		Example: "  setops -p shop -s production --app web resource",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runShow(ctx context.Context, opts *showOptions) error {
	app, err := opts.kit.AppState(ctx, "")
	if err != nil {
		return err
	}
	return opts.kit.Show(app.Resources, func(w io.Writer) error { return render.Resources(app.Resources).Write(w) })
}
