package changeset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

type commitOptions struct {
	kit            *kit.Kit
	start          api.StartCommit
	detach         bool
	ignoreNotExist bool
}

func newCommit(k *kit.Kit, run func(context.Context, *commitOptions) error) *cobra.Command {
	opts := &commitOptions{kit: k}
	var waitTimeout time.Duration
	cmd := &cobra.Command{
		Use:   "changeset:commit",
		Short: "Make what is staged live",
		Long: "Make the commands that you have staged on a stage live, all or none. New tasks must pass their checks before they get\n" +
			"traffic; if one does not, the old tasks serve on, the changeset is kept, and the error says which task of which app, which\n" +
			"check, what it answered last, and what to type next. With -o json the whole of it is in the commit's `failure`.\n\n" +
			"Commits of one stage run one after the other; yours waits for its turn. With --plan it does what `setops changeset:plan`\n" +
			"showed with that hash, or fails because the stage has changed since.\n\n" +
			"The commit belongs to the server: it goes on when this command is interrupted, `setops changeset:attach` shows it again and\n" +
			"`setops changeset:cancel` stops it. Exit codes: 1 the commit failed or was cancelled, 78 nothing is staged, 130 interrupted.",
		Example: "  setops -p shop -s production changeset:commit\n" +
			"  setops -p shop -s production changeset:commit -m \"Faster search\"\n" +
			"  setops -p shop -s production changeset:commit --wait-timeout 10m --ignore-not-exist",
		Args: kit.AtMostArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.queue(waitTimeout, cmd.Flags().Changed("wait-timeout")); err != nil {
				return err
			}
			return run(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&opts.start.Message, "message", "m", "", "`TEXT` for the history: what the commit is for")
	flags.StringVar(&opts.start.Plan, "plan", "", "do exactly the plan with this `HASH`, or fail")
	flags.BoolVar(&opts.start.NoQueue, "no-queue", false, "fail at once where another commit of the stage runs or waits")
	flags.DurationVar(&waitTimeout, "wait-timeout", 0, "fail if its turn has not come after `DURATION`, 1s to 24h (default 1h)")
	flags.BoolVar(&opts.detach, "detach", false, "return once the commit is started (also --detached)")
	ignoreFlag(cmd, &opts.ignoreNotExist)
	return cmd
}

// queue reads how long the commit may wait for its turn; the API counts whole seconds.
func (o *commitOptions) queue(timeout time.Duration, given bool) error {
	switch {
	case !given:
		return nil
	case o.start.NoQueue:
		return &kit.Usage{Message: "--no-queue does not wait, --wait-timeout does.", Next: "Leave one of them out."}
	case timeout < time.Second || timeout > 24*time.Hour:
		return &kit.Usage{Message: fmt.Sprintf("--wait-timeout cannot be %s.", timeout), Next: "Give it 1s to 24h."}
	}
	o.start.WaitTimeout = int((timeout + time.Second - 1) / time.Second)
	return nil
}

func runCommit(ctx context.Context, opts *commitOptions) error {
	k := opts.kit
	ref, c, err := k.AtStage("")
	if err != nil {
		return err
	}
	commit, err := c.StartCommit(ctx, ref, opts.start)
	if kit.HasCode(err, noChangeset) {
		return nothingStaged(k, ref, opts.ignoreNotExist)
	}
	if err != nil {
		return notStarted(ref, opts.start, err)
	}
	if opts.detach {
		return showDetached(k, ref, commit)
	}
	if err := showStart(k, commit); err != nil {
		return err
	}
	return follow(ctx, k, c, ref, commit.ID, progressOf(commit))
}

// notStarted says why there is no commit.
func notStarted(ref client.StageRef, start api.StartCommit, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return &kit.Failure{
			Message: "Interrupted while the commit was being asked for.",
			Next:    line(ref, "changeset:log") + " shows whether there is one.",
			Code:    kit.ExitInterrupted, Plain: true,
		}
	case kit.HasCode(err, planStale):
		return stale(ref)
	case start.NoQueue && kit.HasCode(err, alreadyRunning):
		return &kit.Failure{
			Message: kit.Sentence(err.Error()),
			Next:    "Leave out --no-queue to wait for your turn; " + line(ref, "changeset:attach") + " shows how far it is.",
			Err:     err,
		}
	}
	return err
}

func showDetached(k *kit.Kit, ref client.StageRef, commit api.Commit) error {
	err := k.Show(commit, func(w io.Writer) error { return new(render.Block).Add("ID", commit.ID).Write(w) })
	if err == nil {
		k.Hint("It goes on in the server. %s shows how far it is.", line(ref, "changeset:attach "+commit.ID))
	}
	return err
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
