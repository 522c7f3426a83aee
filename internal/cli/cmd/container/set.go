package container

import (
	"context"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// setOptions hold what to stage; the app's name is filled in when it is.
type setOptions struct {
	kit       *kit.Kit
	container api.ContainerSet
	port      *int // not nil: the port of the network is meant
}

type setRun func(context.Context, *setOptions) error

func newSet(k *kit.Kit, run setRun) *cobra.Command {
	group := &cobra.Command{
		Use:   "container:set SETTING",
		Short: "Set how an app's tasks are started and checked",
		Long: "Set how the tasks of an app are started and checked from inside. It is staged: new tasks take the place of the\n" +
			"old ones at `setops changeset:commit`.\n\nWhat follows `--` is taken as it is, flags and all.",
		Example: "  setops -p shop -s production --app web container:set command -- bundle exec puma -b tcp://0.0.0.0:5000\n" +
			"  setops -p shop -s production --app web container:set health-check --interval 10 -- /bin/sh -c \"curl -fs http://localhost:5000/up\"\n" +
			"  setops -p shop -s production --app web container:set stop-timeout 120",
	}
	return kit.NewGroup(group,
		newSetWords(k, run, "command", "Set the command, in place of the image's",
			func(o *setOptions, argv []string) { o.container.Command = argv }),
		newSetWords(k, run, "entrypoint", "Set the entrypoint, in place of the image's",
			func(o *setOptions, argv []string) { o.container.Entrypoint = argv }),
		newSetHealthCheck(k, run),
		newSetNumber(k, run, "start-timeout SECONDS", "Set how long a new task may take to pass its checks",
			func(o *setOptions, n int) { o.container.StartTimeout = &n }),
		newSetNumber(k, run, "stop-timeout SECONDS", "Set the time from SIGTERM to SIGKILL, at least 60 seconds",
			func(o *setOptions, n int) { o.container.StopTimeout = &n }),
		newSetNumber(k, run, "port PORT", "Set the port, as network:set port does",
			func(o *setOptions, n int) { o.port = &n }),
	)
}

func newSetWords(k *kit.Kit, run setRun, name, short string, assign func(*setOptions, []string)) *cobra.Command {
	return &cobra.Command{
		Use:   name + " -- ARGV",
		Short: short,
		Long:  short + ". One argument that contains blanks is split as a shell would.",
		Args:  kit.SomeArgs("at least one word"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts := &setOptions{kit: k}
			assign(opts, args)
			return run(cmd.Context(), opts)
		},
	}
}

func newSetNumber(k *kit.Kit, run setRun, use, short string, assign func(*setOptions, int)) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  kit.ExactArgs("a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := kit.Number(cmd.Name(), args[0])
			if err != nil {
				return err
			}
			opts := &setOptions{kit: k}
			assign(opts, n)
			return run(cmd.Context(), opts)
		},
	}
}

func runSet(ctx context.Context, opts *setOptions) error {
	ref, err := opts.kit.App("")
	if err != nil {
		return err
	}
	if opts.port != nil {
		return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, api.NetworkSet{Name: ref.App, Port: opts.port})
	}
	opts.container.Name = ref.App
	return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, opts.container)
}
