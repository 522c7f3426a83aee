// Package token holds the commands of the noun token: API tokens, with which scripts act as their user. Each takes effect
// at once.
package token

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newList(k, runList), newCreate(k, runCreate), newDestroy(k, runDestroy)}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:     "token",
		Short:   "List your API tokens",
		Long:    "List your API tokens in this organization, when each was last used, to some minutes, and when it expires.",
		Example: "  setops token\n  setops token -o json",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	c, err := opts.kit.Client()
	if err != nil {
		return err
	}
	tokens, err := c.Tokens(ctx)
	if err != nil {
		return err
	}
	return opts.kit.Show(api.TokenList{Tokens: tokens}, func(w io.Writer) error {
		rows := make([][]string, 0, len(tokens))
		for _, t := range tokens {
			rows = append(rows, []string{
				t.ID, render.OneLine(t.Name), render.Time(t.CreatedAt), render.OptionalTime(&t.UsedAt), render.OptionalTime(&t.ExpiresAt),
			})
		}
		return render.Table(w, []string{"ID", "Name", "Created At", "Used At", "Expires At"}, rows)
	})
}
