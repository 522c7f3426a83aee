// Package audit holds the command audit: who did what.
package audit

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command { return []*cobra.Command{newAudit(k, runAudit)} }

type auditOptions struct {
	kit   *kit.Kit
	query client.EventQuery
}

func newAudit(k *kit.Kit, run func(context.Context, *auditOptions) error) *cobra.Command {
	opts := &auditOptions{kit: k}
	var before, after string
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show who did what",
		Long: "Show who staged, committed, cancelled, reverted, created, destroyed, invited and removed what, oldest first, times in UTC: on\n" +
			"the stage in scope, else on the project with its stages, else in the whole organization, where it also shows who signed in\n" +
			"and who was refused. It is for admins: of the stage or the project, of the project, of the organization.\n\n" +
			"Values of variables, passwords and tokens are not in it. Events are kept for 400 days, unless the server is told otherwise.",
		Example: "  setops -p shop -s production audit -n 20\n" +
			"  setops -p shop audit --after 2026-03-17 --before 2026-03-18\n" +
			"  setops audit -o json",
		Args: kit.AtMostArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.read(before, after); err != nil {
				return err
			}
			return run(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&opts.query.Limit, "limit", "n", 250, "show the newest `N` events, 1 to 9999")
	flags.StringVar(&before, "before", "", "only events before this `TIME`")
	flags.StringVar(&after, "after", "", "only events after this `TIME`")
	return cmd
}

func (o *auditOptions) read(before, after string) (err error) {
	if o.query.Limit < 1 || o.query.Limit > client.MaxEvents {
		return &kit.Usage{
			Message: fmt.Sprintf("%d events cannot be shown at once.", o.query.Limit),
			Next:    fmt.Sprintf("Give -n/--limit a number from 1 to %d.", client.MaxEvents),
		}
	}
	if o.query.Before, err = kit.ParseTime("before", before); err != nil {
		return err
	}
	o.query.After, err = kit.ParseTime("after", after)
	return err
}

func runAudit(ctx context.Context, opts *auditOptions) error {
	at, c, err := opts.where()
	if err != nil {
		return err
	}
	events, err := c.Events(ctx, at, opts.query)
	if err != nil {
		return err
	}
	show := render.Events
	if opts.kit.Flags.Output == kit.Wide {
		show = render.WideEvents
	}
	return opts.kit.Show(map[string]any{"events": events}, func(w io.Writer) error { return show(w, events) })
}

// where is the stage or the project in scope, or the organization.
func (o *auditOptions) where() (client.Place, *client.Client, error) {
	inProject, err := o.kit.HasProject()
	if err != nil {
		return nil, nil, err
	}
	if inProject {
		return o.kit.AtPlace()
	}
	return o.kit.AtOrganization()
}
