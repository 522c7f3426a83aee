// Package network holds the commands of the noun network: how an app is reached. Setting and unsetting are staged.
package network

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
		Use:     "network",
		Short:   "Show how an app is reached",
		Long:    "Show the last committed protocol, port and network health check of an app, and whether it is public.",
		Example: "  setops -p shop -s production --app web network",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runShow(ctx context.Context, opts *showOptions) error {
	app, err := opts.kit.AppState(ctx, "")
	if err != nil {
		return err
	}
	return opts.kit.Show(app.Network, func(w io.Writer) error { return render.Network(app.Network).Write(w) })
}
