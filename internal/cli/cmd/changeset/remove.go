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

type removeOptions struct {
	kit    *kit.Kit
	number int
}

func newRemove(k *kit.Kit, run func(context.Context, *removeOptions) error) *cobra.Command {
	opts := &removeOptions{kit: k}
	return &cobra.Command{
		Use:   "changeset:remove NUMBER",
		Short: "Drop one staged command",
		Long: "Drop one command of your changeset; `setops changeset:info -o wide` numbers them. What is live stays as it is. Commands that\n" +
			"do not apply without it stay staged, and are named.",
		Example:           "  setops -p shop -s production changeset:info -o wide\n  setops -p shop -s production changeset:remove 2",
		Args:              kit.ExactArgs("the NUMBER of a staged command"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.number, err = kit.Number("the command", args[0]); err != nil {
				return err
			}
			return run(cmd.Context(), opts)
		},
	}
}

func runRemove(ctx context.Context, opts *removeOptions) error {
	k := opts.kit
	ref, c, err := k.AtStage("")
	if err != nil {
		return err
	}
	removed, err := c.RemoveCommand(ctx, ref, opts.number)
	if err != nil {
		return orNothingStaged(err, ref)
	}
	if err := k.Show(removed, func(w io.Writer) error { return showRemoved(w, removed) }); err != nil {
		return err
	}
	if len(removed.Broken) > 0 {
		k.Note("\nNot valid without it:")
	}
	for _, broken := range removed.Broken {
		k.Note("   %s", render.OneLine(broken))
	}
	return nil
}

func showRemoved(w io.Writer, r api.Removed) error {
	if err := render.Commands(w, []api.StagedCommand{r.Command}); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return new(render.Block).Add("Left", r.Left).Write(w)
}
