package changeset

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/spf13/cobra"
)

type planOptions struct{ kit *kit.Kit }

func newPlan(k *kit.Kit, run func(context.Context, *planOptions) error) *cobra.Command {
	opts := &planOptions{kit: k}
	return &cobra.Command{
		Use:   "changeset:plan",
		Short: "Show the steps that a commit would take",
		Long: "Show the steps that a commit of your changeset would take now, each with its cause, what restarts, which data would be lost\n" +
			"for good, and the hash of the plan. It changes nothing. `setops changeset:commit --plan HASH` does exactly that, or fails\n" +
			"because the stage, what runs on it or your changeset is another by then.",
		Example: "  setops -p shop -s production changeset:plan\n  setops -p shop -s production changeset:plan -o json",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runPlan(ctx context.Context, opts *planOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	plan, err := c.Plan(ctx, ref)
	if err != nil {
		return orNothingStaged(err, ref)
	}
	if err := opts.kit.Show(plan, func(w io.Writer) error { return render.Plan(w, plan, opts.kit.Paint()) }); err != nil {
		return err
	}
	if len(plan.Steps) > 0 { // else there may be nothing staged that a commit could take
		opts.kit.Hint("%s does exactly that.", line(ref, "changeset:commit --plan "+plan.Hash))
	}
	return nil
}
