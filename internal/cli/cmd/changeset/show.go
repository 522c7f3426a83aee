package changeset

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/spf13/cobra"
)

type showOptions struct {
	kit    *kit.Kit
	commit string
}

func newShow(k *kit.Kit, run func(context.Context, *showOptions) error) *cobra.Command {
	opts := &showOptions{kit: k}
	return &cobra.Command{
		Use:   "changeset:show COMMIT",
		Short: "Show all that is known of a commit",
		Long: "Show a commit: who made it, when and how it ended, its commands, what they changed, its steps with their times, the logs of\n" +
			"tasks that belong to it, and why it failed. Values of env are not among it. The beginning of an id will do.",
		Example:           "  setops -p shop -s production changeset:log\n  setops -p shop -s production changeset:show 5b01a061",
		Args:              kit.ExactArgs("the id of a COMMIT"),
		ValidArgsFunction: k.CompleteCommits,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.commit = args[0]
			return run(cmd.Context(), opts)
		},
	}
}

func runShow(ctx context.Context, opts *showOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	details, err := c.CommitDetails(ctx, ref, opts.commit)
	if err != nil {
		return err
	}
	return opts.kit.Show(details, func(w io.Writer) error { return render.CommitDetails(w, details, opts.kit.Paint()) })
}
