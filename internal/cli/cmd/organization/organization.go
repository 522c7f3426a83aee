// Package organization holds the commands of the noun organization.
package organization

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newList(k, runList), newSwitch(k, runSwitch)}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:   "organization",
		Short: "List the organizations that you belong to",
		Long: "List the organizations that you belong to. A session is one of one organization: `setops organization:switch` changes to\n" +
			"another. -o wide shows which one that is, and of which you are an admin.",
		Example: "  setops organization\n  setops organization -o wide",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	c, err := opts.kit.Client()
	if err != nil {
		return err
	}
	all, err := c.Organizations(ctx)
	if err != nil {
		return err
	}
	if opts.kit.Flags.Output == kit.Wide {
		return opts.kit.Show(nil, func(w io.Writer) error { return render.WideOrganizations(w, all) })
	}
	names := make([]string, 0, len(all))
	for _, o := range all {
		names = append(names, o.Name)
	}
	return opts.kit.ShowNames("organizations", all, names)
}
