package changeset

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type revertOptions struct {
	kit    *kit.Kit
	commit string
	revert api.Revert
}

func newRevert(k *kit.Kit, run func(context.Context, *revertOptions) error) *cobra.Command {
	opts := &revertOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "changeset:revert COMMIT",
		Short: "Stage what takes a commit back",
		Long: "Stage the inverse of a whole commit: releases, env, resources, domains. Your changeset must be empty; it is then ready to be\n" +
			"looked at and committed, and nothing is live before that. What later commits have changed again stands in the way, and is\n" +
			"named; --force takes that back too. With --to the whole stage is brought back to what it was right after the commit. What\n" +
			"a commit has destroyed for good is refused: data does not come back.",
		Example: "  setops -p shop -s production changeset:revert 5b01a061\n" +
			"  setops -p shop -s production changeset:revert 5b01a061 --to\n" +
			"  setops -p shop -s production changeset:commit -m \"Back to the old search\"",
		Args:              kit.ExactArgs("the id of a COMMIT"),
		ValidArgsFunction: k.CompleteDoneCommits,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.commit = args[0]
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.revert.To, "to", false, "bring the whole stage back to what it was right after the commit")
	cmd.Flags().BoolVar(&opts.revert.Force, "force", false, "take back what later commits have changed again, too")
	return cmd
}

func runRevert(ctx context.Context, opts *revertOptions) error {
	k := opts.kit
	ref, c, err := k.AtStage("")
	if err != nil {
		return err
	}
	reverted, err := c.Revert(ctx, ref, opts.commit, opts.revert)
	if err != nil {
		return err
	}
	err = k.Show(reverted, func(w io.Writer) error {
		if err := render.Commands(w, reverted.Commands); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
		return render.Diff(w, reverted.Diff, k.Paint())
	})
	if err != nil {
		return err
	}
	k.Note("Staged, not live. Review it, then %s makes it live.", line(ref, "changeset:commit"))
	return nil
}
