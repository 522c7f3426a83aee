package changeset

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

type waitOptions struct {
	kit     *kit.Kit
	commit  string // empty: all of the stage
	timeout time.Duration
}

func newWait(k *kit.Kit, run func(context.Context, *waitOptions) error) *cobra.Command {
	opts := &waitOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "changeset:wait [COMMIT]",
		Short: "Wait until commits have ended",
		Long: "Wait until a commit has ended, or, without an id, all that run or wait on the stage now, whoever made them. It shows no\n" +
			"progress and changes nothing. Exit codes: 0 they are done, or there is none; 1 one failed or was cancelled, or the time of\n" +
			"--timeout has passed.",
		Example: "  setops -p shop -s production changeset:wait\n" +
			"  setops -p shop -s production changeset:wait 5b01a061 --timeout 10m",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteLiveCommits,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.commit = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().DurationVar(&opts.timeout, "timeout", 0, "give up waiting after `DURATION`, such as 90s or 10m")
	return cmd
}

func runWait(ctx context.Context, opts *waitOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if opts.timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, opts.timeout)
	}
	defer cancel()
	ended, err := awaitAll(limited, c, ref, opts.commit)
	if limited.Err() != nil && ctx.Err() == nil {
		return &kit.Failure{
			Message: fmt.Sprintf("Not all has ended within %s; it goes on in the server.", opts.timeout),
			Next:    line(ref, "changeset:log") + " shows what runs and what waits.",
		}
	}
	if err != nil {
		return err
	}
	if err := opts.kit.Show(api.EndedCommits{Commits: ended}, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	return shortcomings(ended)
}

// awaitAll waits for one commit or for all, and gives them as they ended, in their order.
func awaitAll(ctx context.Context, c *client.Client, ref client.StageRef, id string) ([]api.Commit, error) {
	begun, err := toAwait(ctx, c, ref, id)
	if err != nil {
		return nil, err
	}
	ended := make([]api.Commit, 0, len(begun))
	for _, commit := range begun {
		commit, err := awaitEnd(ctx, c, ref, commit)
		if err != nil {
			return nil, err
		}
		ended = append(ended, commit)
	}
	return ended, nil
}

// toAwait gives the one commit, or all that run or wait, of which no more than id and state is known.
func toAwait(ctx context.Context, c *client.Client, ref client.StageRef, id string) ([]api.Commit, error) {
	if id != "" {
		commit, err := c.Commit(ctx, ref, id)
		return []api.Commit{commit}, err
	}
	all, err := live(ctx, c, ref)
	begun := make([]api.Commit, 0, len(all))
	for _, s := range slices.Backward(all) {
		begun = append(begun, api.Commit{ID: s.ID, State: s.State})
	}
	return begun, err
}

// awaitEnd gives a commit as it ended.
func awaitEnd(ctx context.Context, c *client.Client, ref client.StageRef, commit api.Commit) (api.Commit, error) {
	if !client.Live(commit.State) {
		return commit, nil
	}
	last, err := c.WatchCommit(ctx, ref, commit.ID, func(api.Progress) {})
	if err != nil {
		return commit, detached(ref, commit.ID, err)
	}
	return Ended(ctx, c, ref, commit.ID, last)
}

// shortcomings says of each commit that is not done why.
func shortcomings(ended []api.Commit) error {
	var lines []string
	for _, c := range ended {
		switch c.State {
		case StateDone:
		case stateCancelled:
			lines = append(lines, fmt.Sprintf("Commit %s was %s.", c.ID, cancelledBy(c)))
		default:
			lines = append(lines, fmt.Sprintf("Commit %s failed: %s", c.ID, render.FailureCause(reason(c.Failure))))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return &kit.Failure{Message: strings.Join(lines, "\n")}
}
