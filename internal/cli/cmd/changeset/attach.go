package changeset

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

type attachOptions struct {
	kit    *kit.Kit
	commit string // empty: the one that toWatch finds
}

func newAttach(k *kit.Kit, run func(context.Context, *attachOptions) error) *cobra.Command {
	opts := &attachOptions{kit: k}
	return &cobra.Command{
		Use:   "changeset:attach [COMMIT]",
		Short: "Show the progress of a commit until it ends",
		Long: "Show the progress of a commit until it ends, with the output and the exit codes of `setops changeset:commit`. It changes\n" +
			"nothing. Without the id of a commit, or the beginning of one, it is the newest of yours that runs or waits, else the one\n" +
			"that runs.",
		Example:           "  setops -p shop -s production changeset:attach\n  setops -p shop -s production changeset:attach 5b01a061",
		Args:              kit.AtMostArgs(1),
		ValidArgsFunction: k.CompleteLiveCommits,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.commit = kit.Optional(args)
			return run(cmd.Context(), opts)
		},
	}
}

func runAttach(ctx context.Context, opts *attachOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	if opts.commit != "" { // a beginning that is clear now may not be so when the stream has to be taken up again
		commit, err := c.Commit(ctx, ref, opts.commit)
		if err != nil {
			return err
		}
		return follow(ctx, opts.kit, c, ref, commit.ID, progressOf(commit))
	}
	id, err := toWatch(ctx, c, ref)
	if err != nil {
		return err
	}
	return follow(ctx, opts.kit, c, ref, id, api.Progress{State: client.StateQueued})
}
