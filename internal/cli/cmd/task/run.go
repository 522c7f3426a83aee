package task

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type runOptions struct {
	kit         *kit.Kit
	task        api.RunTask
	detach      bool
	interactive bool
	detachAfter time.Duration // 0: watch it to its end
}

func newRun(k *kit.Kit, run func(context.Context, *runOptions) error) *cobra.Command {
	opts := &runOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "task:run -- ARGV",
		Short: "Run a one-off task",
		Long: "Run a command in a task of its own, with the committed settings of the app, and show its log until it ends. The exit\n" +
			"code is that of the task. A release that you have staged can be run before it is committed; with --image-tag no release is\n" +
			"needed, only the image.\n\n" +
			"The task belongs to the server: it goes on when this command is interrupted (exit code 130), for at most 24 hours. With\n" +
			"--detach-timeout it is watched for so long; where it has not ended by then, the exit code is 0 and it goes on.\n\n" +
			"With --interactive its program has your terminal: keys as Ctrl-C and Ctrl-D go to it, and its screen has the size of yours.\n" +
			"Where standard input or output is no terminal, bytes are passed as they are, and standard output and errors are kept\n" +
			"apart. What it writes is in its log too. Such a task is stopped when this command ends or loses its connection.",
		Example: "  setops -p shop -s production --app web task:run -- bundle exec rake db:migrate\n" +
			"  setops -p shop -s production --app web task:run --release 3 --memory 512 -- bin/migrate\n" +
			"  setops -p shop -s production --app web task:run --entrypoint /bin/sh,-c -- 'echo hello'\n" +
			"  setops -p shop -s production --app web task:run --interactive -- bash\n" +
			"  setops -p shop -s production --app web task:run --interactive -- psql < seed.sql",
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.task.Arguments = args
			if cmd.Flags().Changed("detach-timeout") && opts.detachAfter <= 0 {
				return &kit.Usage{Message: fmt.Sprintf("--detach-timeout %s is no time to wait.", opts.detachAfter), Next: "Write it like 90s or 10m."}
			}
			if opts.interactive && (opts.detach || opts.detachAfter != 0) {
				return &kit.Usage{
					Message: "A task with --interactive cannot be detached from: its program ends with this command.",
					Next:    "Leave --detach and --detach-timeout out, or --interactive.",
				}
			}
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
	flags.BoolVar(&opts.interactive, "interactive", false, "give the task's program your terminal, or standard input")
	kit.CompleteFlag(cmd, "release", k.CompleteReleases)
	flags.DurationVar(&opts.detachAfter, "detach-timeout", 0, "watch the task for this `TIME` at most, as 10m")
	return cmd
}

func runRun(ctx context.Context, opts *runOptions) error {
	k := opts.kit
	ref, c, err := k.AtApp("")
	if err != nil {
		return err
	}
	if opts.interactive {
		return interact(ctx, k, c, ref, opts.task)
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
	if opts.detachAfter == 0 {
		return attach(ctx, k, c, ref, task)
	}
	watch, cancel := context.WithTimeout(ctx, opts.detachAfter)
	defer cancel()
	err = attach(watch, k, c, ref, task)
	if err == nil || ctx.Err() != nil || watch.Err() == nil {
		return err
	}
	return leave(k, ref, task)
}
