// Package domain holds the commands of the noun domain: the names that an app answers to. All but listing are staged.
package domain

import (
	"context"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newList(k, runList), newCreate(k, runCreate), newDestroy(k, runDestroy), newValidate(k, runValidate)}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:   "domain",
		Short: "List the domains of an app",
		Long: "List the last committed domains of an app: custom ones with the records to publish in DNS, and the default and\n" +
			"the private one that every app has.",
		Example: "  setops -p shop -s production --app web domain\n  setops -p shop -s production --app web domain -o json",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	ref, c, err := opts.kit.AtApp("")
	if err != nil {
		return err
	}
	domains, err := c.Domains(ctx, ref)
	if err != nil {
		return err
	}
	return opts.kit.Show(api.DomainList{Domains: domains}, func(w io.Writer) error {
		return render.Domains(w, domains, func(d api.Domain) []string { return say(ref, d) })
	})
}

// stage stages a command about the domain that is named, and shows what becomes of it as a row of a table.
func stage(ctx context.Context, k *kit.Kit, argument string, command func(client.AppRef, string) api.Arguments) error {
	ref, name, err := k.Domain(argument)
	if err != nil {
		return err
	}
	return k.StageCommands(ctx, ref.StageRef, render.CustomDomainEffects, command(ref, name))
}
