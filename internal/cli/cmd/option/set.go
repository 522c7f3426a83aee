package option

import (
	"context"
	"fmt"
	"strconv"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// setOptions hold what to stage; the names of app and domain are filled in when it is.
type setOptions struct {
	kit    *kit.Kit
	domain api.DomainOptionSet
}

type setRun func(context.Context, *setOptions) error

func newSet(k *kit.Kit, run setRun) *cobra.Command {
	group := &cobra.Command{
		Use:   "option:set OPTION",
		Short: "Set an option of a custom domain",
		Long: "Set an option of the custom domain that --domain names. It is staged until `setops changeset:commit`.\n\n" +
			"An app has one primary domain at most: another one stops being it. The others redirect to it, but for those with\n" +
			"redirect-to-primary false, which answer by themselves.",
		Example: "  setops -p shop -s production --app web --domain www.example.com option:set primary true\n" +
			"  setops -p shop -s production --app web --domain example.com option:set static-ip true",
	}
	return kit.NewGroup(group,
		newOption(k, run, "primary", "Set whether the app's other domains redirect to it",
			func(o *api.DomainOptionSet, value bool) { o.Primary = &value }),
		newOption(k, run, "redirect-to-primary", "Set whether it redirects to the primary domain",
			func(o *api.DomainOptionSet, value bool) { o.RedirectToPrimary = &value }),
		newOption(k, run, "static-ip", "Set whether its records are addresses, not a CNAME",
			func(o *api.DomainOptionSet, value bool) { o.StaticIP = &value }),
	)
}

func newOption(k *kit.Kit, run setRun, name, short string, assign func(*api.DomainOptionSet, bool)) *cobra.Command {
	return &cobra.Command{
		Use:               name + " true|false",
		Short:             short,
		Args:              kit.ExactArgs("true or false"),
		ValidArgsFunction: kit.CompleteValue("true", "false"),
		RunE: func(cmd *cobra.Command, args []string) error {
			value, err := strconv.ParseBool(args[0])
			if err != nil {
				return &kit.Usage{Message: fmt.Sprintf("%q is neither true nor false.", args[0]), Next: fmt.Sprintf("Give %s as true or false.", name)}
			}
			opts := &setOptions{kit: k}
			assign(&opts.domain, value)
			return run(cmd.Context(), opts)
		},
	}
}

func runSet(ctx context.Context, opts *setOptions) error {
	ref, name, err := opts.kit.Domain("")
	if err != nil {
		return err
	}
	opts.domain.Name, opts.domain.Domain = ref.App, name
	return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, opts.domain)
}
