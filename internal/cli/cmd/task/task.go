// Package task holds the commands of the noun task. Each takes effect at once.
package task

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newList(k, runList), newRun(k, runRun), newAttach(k, runAttach), newStop(k, runStop)}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:     "task",
		Short:   "List the tasks of an app",
		Long:    "List the tasks of an app, one-off tasks among them. Ended tasks are listed for an hour.",
		Example: "  setops -p shop -s production --app web task",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	ref, c, err := opts.kit.AtApp("")
	if err != nil {
		return err
	}
	tasks, err := c.Tasks(ctx, ref)
	if err != nil {
		return err
	}
	return opts.kit.Show(api.TaskList{Tasks: tasks}, func(w io.Writer) error {
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		return render.Tasks(w, tasks)
	})
}
