// Package stage holds the commands of the noun stage. Each takes effect at once; stage:apply (apply.go) by a commit of its own.
package stage

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{
		newList(k, runList), newCreate(k, runCreate), newInfo(k, runInfo), newDestroy(k, runDestroy), newDump(k, runDump), newApply(k, runApply),
	}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:     "stage",
		Short:   "List the stages of a project",
		Example: "  setops -p shop stage\n  setops -p shop stage -o json",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	ref, c, err := opts.kit.AtProject("")
	if err != nil {
		return err
	}
	stages, err := c.Stages(ctx, ref)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(stages))
	for _, s := range stages {
		names = append(names, s.Name)
	}
	return opts.kit.ShowNames("stages", stages, names)
}

func show(k *kit.Kit, s api.Stage) error {
	return k.Show(s, func(w io.Writer) error { return render.Stage(w, s) })
}
