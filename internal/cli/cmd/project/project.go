// Package project holds the commands of the noun project. Each takes effect at once.
package project

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
	return []*cobra.Command{newList(k, runList), newCreate(k, runCreate), newInfo(k, runInfo), newDestroy(k, runDestroy)}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:     "project",
		Short:   "List the projects that you may see",
		Example: "  setops project\n  setops project -o json",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	organization, err := opts.kit.Organization()
	if err != nil {
		return err
	}
	c, err := opts.kit.Client()
	if err != nil {
		return err
	}
	projects, err := c.Projects(ctx, organization)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(projects))
	for _, p := range projects {
		names = append(names, p.Name)
	}
	return opts.kit.ShowNames("projects", projects, names)
}

func show(k *kit.Kit, p api.Project) error {
	return k.Show(p, func(w io.Writer) error { return render.Created(w, p.Name, p.CreatedAt, p.CreatedBy) })
}
