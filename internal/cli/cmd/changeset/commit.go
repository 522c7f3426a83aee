package changeset

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
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
			"traffic; if one does not, the old tasks serve on, the changeset is kept, and the error says which task of which app, which\n" +
			"check, what it answered last, and what to type next. With -o json the whole of it is in the commit's `failure`.\n\n" +
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
	why, err := watch(ctx, k, c, ref, commit)
	if err != nil {
		return err
	}
	if k.Flags.Output == kit.JSON {
		return showEnd(ctx, k, c, ref, commit.ID, why)
	}
	if why != nil {
		return failed(*why)
	}
	_, err = fmt.Fprintln(k.Out, "Commit successful!")
	return err
}

// showEnd prints the commit as JSON on standard output, failed or not; of a failure, standard error has the cause.
func showEnd(ctx context.Context, k *kit.Kit, c *client.Client, ref client.StageRef, id string, why *api.Failure) error {
	commit, err := c.Commit(ctx, ref, id)
	if err != nil {
		return err
	}
	if err := render.JSON(k.Out, commit); err != nil {
		return err
	}
	if why != nil {
		return &kit.Failure{Message: "The commit failed: " + render.FailureCause(*why)}
	}
	return nil
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
