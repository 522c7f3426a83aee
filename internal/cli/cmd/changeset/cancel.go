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

type cancelOptions struct {
	kit    *kit.Kit
	commit string // empty: the one that toCancel finds
}

func newCancel(k *kit.Kit, run func(context.Context, *cancelOptions) error) *cobra.Command {
	opts := &cancelOptions{kit: k}
	return &cobra.Command{
		Use:   "changeset:cancel [COMMIT]",
		Short: "Stop a commit before it is live",
		Long: "Stop a commit that runs or waits, and wait until the stage is again what it was before. The changeset is kept. Without the\n" +
			"id of a commit, or the beginning of one, it is the one of yours that runs or waits.\n\n" +
			"Once traffic has moved, a commit cannot be stopped any more; `setops changeset:revert` takes it back.",
		Example:           "  setops -p shop -s production changeset:cancel\n  setops -p shop -s production changeset:cancel 5b01a061",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteLiveCommits,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.commit = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
}

func runCancel(ctx context.Context, opts *cancelOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	id := opts.commit
	if id == "" {
		if id, err = toCancel(ctx, c, ref); err != nil {
			return err
		}
	}
	commit, err := c.Cancel(ctx, ref, id)
	if kit.HasCode(err, alreadyCommitted) {
		return isCommitted(ref, id)
	}
	if err != nil {
		return err
	}
	if commit, err = awaitEnd(ctx, c, ref, commit); err != nil {
		return cancelGoesOn(ref, id, err)
	}
	return showCancelled(opts.kit, ref, commit)
}

func isCommitted(ref client.StageRef, id string) error {
	return &kit.Failure{
		Message: fmt.Sprintf("Commit %s is committed already.", id),
		Next:    line(ref, "changeset:revert "+id) + " takes it back.",
	}
}

// cancelGoesOn is what an interrupted wait means: the server was told.
func cancelGoesOn(ref client.StageRef, id string, err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	return &kit.Failure{
		Message: "Interrupted; the server goes on to stop the commit.",
		Next:    line(ref, "changeset:wait "+id) + " waits until it has.",
		Code:    kit.ExitInterrupted, Plain: true,
	}
}

// showCancelled says how a commit ended that was to be stopped: it may have been quicker.
func showCancelled(k *kit.Kit, ref client.StageRef, commit api.Commit) error {
	if commit.State == StateDone {
		return isCommitted(ref, commit.ID)
	}
	return k.Show(commit, func(w io.Writer) error {
		how := fmt.Sprintf("Cancelled commit %s.", commit.ID)
		if commit.State != stateCancelled {
			how = fmt.Sprintf("Commit %s failed by itself: %s", commit.ID, render.FailureCause(reason(commit.Failure)))
		}
		_, err := fmt.Fprintf(w, "✅ %s Nothing of it is live, and %s.\n", how, fate(commit))
		return err
	})
}
