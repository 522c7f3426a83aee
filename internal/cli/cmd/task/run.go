package task

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type runOptions struct {
	kit    *kit.Kit
	task   api.RunTask
	detach bool
}

func newRun(k *kit.Kit, run func(context.Context, *runOptions) error) *cobra.Command {
	opts := &runOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "task:run -- ARGV",
		Short: "Run a one-off task",
		Long: "Run a command in a task of its own, with the committed settings of the app, and show its log until it ends. The exit\n" +
			"code is that of the task. A release that you have staged can be run before it is committed; with --image-tag no release is\n" +
			"needed, only the image.\n\n" +
			"The task belongs to the server: it goes on when this command is interrupted (exit code 130), for at most 24 hours.",
		Example: "  setops -p shop -s production --app web task:run -- bundle exec rake db:migrate\n" +
			"  setops -p shop -s production --app web task:run --release 3 --memory 512 -- bin/migrate\n" +
			"  setops -p shop -s production --app web task:run --entrypoint /bin/sh,-c -- 'echo hello'",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.task.Arguments = args
			return run(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&opts.task.Release, "release", 0, "`RELEASE` to run (default the active one)")
	flags.StringVar(&opts.task.ImageTag, "image-tag", "", "`TAG` of the image to run, or its digest, in place of a release; it needs none")
	flags.IntVar(&opts.task.CPU, "cpu", 0, "CPU share `N`; 1024 is one vCPU (default that of the app)")
	flags.IntVar(&opts.task.Memory, "memory", 0, "memory limit `N` in MB (default that of the app)")
	flags.StringSliceVar(&opts.task.Entrypoint, "entrypoint", nil, "`WORDS` in place of the app's entrypoint, separated by commas")
	flags.BoolVar(&opts.detach, "detach", false, "return once the task is started (also --detached)")
	return cmd
}

func runRun(ctx context.Context, opts *runOptions) error {
	k := opts.kit
	ref, c, err := k.AtApp("")
	if err != nil {
		return err
	}
	task, err := c.RunTask(ctx, ref, opts.task)
	if err != nil {
		return err
	}
	if opts.detach {
		return k.Show(task, func(w io.Writer) error { return new(render.Block).Add("ID", task.ID).Write(w) })
	}
	if k.Flags.Output != kit.JSON {
		if _, err := fmt.Fprintf(k.Out, "ID:   %s\n\nStarting Task...\n\n", task.ID); err != nil {
			return err
		}
	}
	return attach(ctx, k, c, ref, task)
}
