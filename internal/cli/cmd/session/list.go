package session

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:   "session",
		Short: "List where you are signed in",
		Long: "List your sessions in this organization: those of the command line (person), of service users (service) and of browsers.\n" +
			"The one that this command uses is marked. API tokens are listed by `setops token`.",
		Example: "  setops session",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	c, err := opts.kit.Client()
	if err != nil {
		return err
	}
	sessions, err := c.Sessions(ctx)
	if err != nil {
		return err
	}
	return opts.kit.Show(api.SessionList{Sessions: sessions}, func(w io.Writer) error {
		rows := make([][]string, 0, len(sessions))
		for _, s := range sessions {
			current := ""
			if s.Current {
				current = "current"
			}
			rows = append(rows, []string{
				s.ID, s.Kind, render.Text(render.OneLine(s.Name)), render.Time(s.CreatedAt), render.OptionalTime(&s.UsedAt),
				render.OptionalTime(&s.ExpiresAt), render.Text(current),
			})
		}
		return render.Table(w, []string{"ID", "Kind", "From", "Created At", "Used At", "Expires At", "Current"}, rows)
	})
}
