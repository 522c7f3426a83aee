// Package app holds the commands of the noun app. Creating and destroying are staged; the rest reads.
package app

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{
		newList(k, runList), newCreate(k, runCreate), newInfo(k, runInfo), newPs(k, runPs), newDestroy(k, runDestroy),
	}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:     "app",
		Short:   "List the apps of a stage",
		Long:    "List the apps of a stage. Apps that are only staged are not among them: see `setops changeset:info`.",
		Example: "  setops -p shop -s production app",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	apps, err := c.Apps(ctx, ref)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(apps))
	for _, a := range apps {
		names = append(names, a.Name)
	}
	return opts.kit.ShowNames("apps", apps, names)
}
