package release

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type activateOptions struct {
	kit *kit.Kit
	id  int
}

func newActivate(k *kit.Kit, run func(context.Context, *activateOptions) error) *cobra.Command {
	opts := &activateOptions{kit: k}
	return &cobra.Command{
		Use:   "release:activate RELEASE",
		Short: "Make a release the active one",
		Long: "Make a release the one that the app's tasks run. It is staged: at `setops changeset:commit` new tasks are started,\n" +
			"and get the traffic once they pass their checks; only then are the old ones stopped.",
		Example: "  setops -p shop -s production --app web release:activate 3",
		Args:    kit.ExactArgs("the number of a RELEASE"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.id, err = kit.Number("the release", args[0]); err != nil {
				return err
			}
			return run(cmd.Context(), opts)
		},
	}
}

func runActivate(ctx context.Context, opts *activateOptions) error {
	ref, err := opts.kit.App("")
	if err != nil {
		return err
	}
	echo := func(w io.Writer, _ []api.Effect) error {
		return new(render.Block).Add("Active Release", opts.id).Write(w)
	}
	return opts.kit.StageCommands(ctx, ref.StageRef, echo, api.ReleaseActivate{Name: ref.App, ReleaseID: opts.id})
}
