package changeset

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

type logOptions struct {
	kit   *kit.Kit
	limit int
}

func newLog(k *kit.Kit, run func(context.Context, *logOptions) error) *cobra.Command {
	opts := &logOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "changeset:log",
		Short: "List the commits of a stage",
		Long: "List the commits of a stage, newest first: when, who, what they said with -m, and how it ended. Those that run or wait are\n" +
			"among them. Ids are cut; `-o wide` and `-o json` have all of them, and every command takes the beginning of one.",
		Example: "  setops -p shop -s production changeset:log\n  setops -p shop -s production changeset:log -n 100 -o wide",
		Args:    kit.AtMostArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.limit < 1 || opts.limit > client.MaxCommits {
				return &kit.Usage{
					Message: fmt.Sprintf("%d commits cannot be shown at once.", opts.limit),
					Next:    fmt.Sprintf("Give -n/--limit a number from 1 to %d.", client.MaxCommits),
				}
			}
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().IntVarP(&opts.limit, "limit", "n", 25, fmt.Sprintf("show the newest `N` commits, 1 to %d", client.MaxCommits))
	return cmd
}

func runLog(ctx context.Context, opts *logOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	commits, err := c.Commits(ctx, ref, opts.limit)
	if err != nil {
		return err
	}
	return opts.kit.Show(api.CommitList{Commits: commits}, func(w io.Writer) error {
		if opts.kit.Flags.Output == kit.Wide {
			return render.WideCommits(w, commits)
		}
		return render.Commits(w, commits)
	})
}
