package changeset

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type commitOptions struct {
	kit            *kit.Kit
	ignoreNotExist bool
}

func newCommit(k *kit.Kit, run func(context.Context, *commitOptions) error) *cobra.Command {
	opts := &commitOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "changeset:commit",
		Short: "Make what is staged live",
		Long: "Make the commands that you have staged on a stage live, all or none. New tasks must pass their checks before they get\n" +
			"traffic; if one does not, the old tasks serve on and the changeset is kept.\n\n" +
			"The commit belongs to the server: it goes on when this command is interrupted. Exit codes: 1 the commit failed, 78 nothing\n" +
			"is staged, 130 interrupted.",
		Example: "  setops -p shop -s production changeset:commit\n  setops -p shop -s production changeset:commit --ignore-not-exist",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
	ignoreFlag(cmd, &opts.ignoreNotExist)
	return cmd
}

func runCommit(ctx context.Context, opts *commitOptions) error {
	k := opts.kit
	ref, c, err := k.AtStage("")
	if err != nil {
		return err
	}
	commit, err := c.StartCommit(ctx, ref)
	switch {
	case kit.HasCode(err, noChangeset):
		return nothingStaged(k, ref, opts.ignoreNotExist)
	case errors.Is(err, context.Canceled):
		return interrupted("Interrupted while the commit was being asked for.", fmt.Sprintf("setops %s changeset:info", scope(ref)))
	case err != nil:
		return err
	}
	if err := showStart(k, commit); err != nil {
		return err
	}
	if err := watch(ctx, k, c, ref, commit); err != nil {
		return err
	}
	if k.Flags.Output != kit.JSON {
		_, err = fmt.Fprintln(k.Out, "Commit successful!")
		return err
	}
	commit, err = c.Commit(ctx, ref, commit.ID)
	if err != nil {
		return err
	}
	return render.JSON(k.Out, commit)
}

func showStart(k *kit.Kit, commit api.Commit) error {
	if k.Flags.Output == kit.JSON {
		return nil // the commit is shown once, when it has ended
	}
	return k.Show(commit, func(w io.Writer) error {
		if err := render.Changeset(w, commit.Changeset); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w)
		return err
	})
}
