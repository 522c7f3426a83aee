package release

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type activateOptions struct {
	kit    *kit.Kit
	id     int
	before []string // argv of the task before the activation; empty: none
}

func newActivate(k *kit.Kit, run func(context.Context, *activateOptions) error) *cobra.Command {
	opts := &activateOptions{kit: k}
	var before bool
	cmd := &cobra.Command{
		Use:   "release:activate RELEASE [-- ARGV]",
		Short: "Make a release the active one",
		Long: "Make a release the one that the app's tasks run. It is staged: at `setops changeset:commit` new tasks are started,\n" +
			"and get the traffic once they pass their checks; only then are the old ones stopped.\n\n" +
			"With --before, what follows `--` is part of the commit: it runs in a task of its own, on that release, with all that\n" +
			"is staged, before any new task of the commit is started. The commit goes on when it exits with code 0, and else fails\n" +
			"and changes nothing. To take it back, stage release:activate without it.",
		Example: "  setops -p shop -s production --app web release:activate 3\n" +
			"  setops -p shop -s production --app web release:activate 3 --before -- bundle exec rake db:migrate",
		Args: func(cmd *cobra.Command, args []string) error {
			_, _, err := parted(cmd, args, before)
			return err
		},
		ValidArgsFunction: k.CompleteReleases,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, argv, err := parted(cmd, args, before)
			if err != nil {
				return err
			}
			if opts.id, err = kit.Number("the release", id); err != nil {
				return err
			}
			opts.before = argv
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&before, "before", false, "run ARGV as part of the commit first; its exit code decides")
	return cmd
}

// parted tells the number of the release from the argv that follows `--`.
func parted(cmd *cobra.Command, args []string, before bool) (id string, argv []string, err error) {
	words, dash := args, cmd.ArgsLenAtDash()
	if dash >= 0 {
		words, argv = args[:dash], args[dash:]
	}
	if before && dash < 0 && len(words) > 1 {
		return "", nil, beforeMisused(words[0], "What --before runs is given behind `--`.")
	}
	if err := kit.ExactArgs("the number of a RELEASE")(cmd, words); err != nil {
		return "", nil, err
	}
	switch id = words[0]; {
	case before && len(argv) == 0:
		return "", nil, beforeMisused(id, "--before needs the words of a command behind `--`.")
	case !before && dash >= 0:
		return "", nil, beforeMisused(id, "What follows `--` is run only with --before.")
	}
	return id, argv, nil
}

func beforeMisused(id, message string) error {
	return &kit.Usage{Message: message, Next: fmt.Sprintf("Type `setops release:activate %s --before -- ARGV`.", id)}
}

func runActivate(ctx context.Context, opts *activateOptions) error {
	ref, err := opts.kit.App("")
	if err != nil {
		return err
	}
	echo := func(w io.Writer, _ []api.Effect) error {
		b := new(render.Block).Add("Active Release", opts.id)
		if len(opts.before) > 0 {
			b.Add("Before", render.OneLine(render.Words(opts.before)))
		}
		return b.Write(w)
	}
	activate := api.ReleaseActivate{Name: ref.App, ReleaseID: opts.id, Before: opts.before}
	return opts.kit.StageCommands(ctx, ref.StageRef, echo, activate)
}
