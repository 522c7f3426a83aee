package changeset

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/spf13/cobra"
)

type diffOptions struct{ kit *kit.Kit }

func newDiff(k *kit.Kit, run func(context.Context, *diffOptions) error) *cobra.Command {
	opts := &diffOptions{kit: k}
	return &cobra.Command{
		Use:   "changeset:diff",
		Short: "Show what a commit would change, as values",
		Long: "Show what would be another once your changeset is committed: each value, old → new, which apps get new tasks and why, and\n" +
			"which data would be lost for good. It changes nothing. Colours are for terminals only; NO_COLOR turns them off.",
		Example: "  setops -p shop -s production changeset:diff",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runDiff(ctx context.Context, opts *diffOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	diff, err := c.Diff(ctx, ref)
	if err != nil {
		return orNothingStaged(err, ref)
	}
	return opts.kit.Show(diff, func(w io.Writer) error { return render.Diff(w, diff, opts.kit.Paint()) })
}
