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

type infoOptions struct {
	kit    *kit.Kit
	commit string // empty: what is staged
}

func newInfo(k *kit.Kit, run func(context.Context, *infoOptions) error) *cobra.Command {
	opts := &infoOptions{kit: k}
	return &cobra.Command{
		Use:   "changeset:info [COMMIT]",
		Short: "Show what is staged, or a commit",
		Long: "Show the commands that you have staged on a stage; with -o wide, with the numbers that `setops changeset:remove` takes. With\n" +
			"the id of a commit, or the beginning of one, show what it commits and how far it is; `setops changeset:show` has more.",
		Example:           "  setops -p shop -s production changeset:info\n  setops -p shop -s production changeset:info -o wide",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteCommits,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.commit = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
}

func runInfo(ctx context.Context, opts *infoOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	if opts.commit != "" {
		commit, err := c.Commit(ctx, ref, opts.commit)
		if err != nil {
			return err
		}
		return opts.kit.Show(commit, func(w io.Writer) error { return showCommit(w, commit) })
	}
	staged, err := c.Changeset(ctx, ref)
	if kit.HasCode(err, noChangeset) || err == nil && len(staged.Commands) == 0 {
		return &kit.Failure{Message: nothingIsStaged(ref)}
	}
	if err != nil {
		return err
	}
	return opts.kit.Show(staged, func(w io.Writer) error {
		if opts.kit.Flags.Output == kit.Wide {
			return render.NumberedChangeset(w, staged)
		}
		return render.Changeset(w, staged)
	})
}

func showCommit(w io.Writer, c api.Commit) error {
	if err := render.Changeset(w, c.Changeset); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	b := new(render.Block).Add("Commit", c.ID).Add("State", c.State).Add("Steps", fmt.Sprintf("%d/%d", c.Done, c.Total)).
		Add("Started At", render.Time(c.CreatedAt)).Add("Finished At", render.OptionalTime(c.FinishedAt))
	if err := b.Write(w); err != nil || c.Failure == nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return render.Failure(w, *c.Failure)
}
