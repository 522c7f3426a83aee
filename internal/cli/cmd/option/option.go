// Package option holds the commands of the noun option: settings of a custom domain. Setting and unsetting are staged.
package option

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newList(k, runList), newSet(k, runSet), newUnset(k, runUnset)}
}

// options are those of a custom domain.
var options = []string{"primary", "redirect-to-primary", "static-ip"}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:     "option",
		Short:   "List the options of a custom domain",
		Long:    "List the last committed options of the custom domain that --domain names.",
		Example: "  setops -p shop -s production --app web --domain www.example.com option",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	ref, name, err := opts.kit.Domain("")
	if err != nil {
		return err
	}
	c, err := opts.kit.Client()
	if err != nil {
		return err
	}
	domains, err := c.Domains(ctx, ref)
	if err != nil {
		return err
	}
	for _, d := range domains {
		if d.Kind == "custom" && strings.EqualFold(d.Address, strings.TrimSuffix(name, ".")) {
			all := api.DomainOptions{Primary: d.Primary, StaticIP: d.StaticIP, RedirectToPrimary: d.RedirectToPrimary}
			return opts.kit.Show(all, func(w io.Writer) error {
				return render.Effects(w, []api.Effect{{Primary: &d.Primary, StaticIP: &d.StaticIP, RedirectToPrimary: &d.RedirectToPrimary}})
			})
		}
	}
	return &kit.Failure{
		Message: fmt.Sprintf("App %s has no custom domain %s.", ref.App, name),
		Next:    "`setops domain` lists those that are committed.",
	}
}
