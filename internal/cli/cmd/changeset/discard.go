package changeset

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type discardOptions struct {
	kit            *kit.Kit
	ignoreNotExist bool
}

func newDiscard(k *kit.Kit, run func(context.Context, *discardOptions) error) *cobra.Command {
	opts := &discardOptions{kit: k}
	cmd := &cobra.Command{
		Use:     "changeset:discard",
		Short:   "Drop what is staged",
		Long:    "Drop the commands that you have staged on a stage. What is live stays as it is. The exit code is 78 where nothing is staged.",
		Example: "  setops -p shop -s production changeset:discard\n  setops -p shop -s production changeset:discard --ignore-not-exist",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
	ignoreFlag(cmd, &opts.ignoreNotExist)
	return cmd
}

func runDiscard(ctx context.Context, opts *discardOptions) error {
	ref, c, err := opts.kit.AtStage("")
	if err != nil {
		return err
	}
	discarded, err := c.Discard(ctx, ref)
	switch {
	case kit.HasCode(err, noChangeset):
		if err := nothingStaged(opts.kit, ref, opts.ignoreNotExist); err != nil {
			return err
		}
		return showDiscarded(opts.kit, discarded)
	case err != nil:
		return err
	}
	commands := "commands"
	if discarded.Commands == 1 {
		commands = "command"
	}
	opts.kit.Note("Discarded %d %s.", discarded.Commands, commands)
	return showDiscarded(opts.kit, discarded)
}

func showDiscarded(k *kit.Kit, discarded api.Discarded) error {
	return k.Show(discarded, func(io.Writer) error { return nil })
}
