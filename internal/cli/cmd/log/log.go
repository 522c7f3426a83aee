// Package log holds the commands of the noun log: what the tasks of an app wrote, what SetOps says of them, and how long that is
// kept. Setting and unsetting are staged.
package log

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newLog(k, runLog), newSet(k, runSet), newUnset(k, runUnset)}
}

type logOptions struct {
	kit      *kit.Kit
	query    client.LogQuery
	follow   bool
	noSource bool
}

func newLog(k *kit.Kit, run func(context.Context, *logOptions) error) *cobra.Command {
	opts := &logOptions{kit: k}
	var before, after string
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show the log of an app",
		Long: "Show what the tasks of an app wrote, and what SetOps says of them (source `system`), oldest first, times in UTC.\n\n" +
			"Times are RFC 3339, cut anywhere down to the year; without an offset they are UTC. With -f it goes on until it is\n" +
			"interrupted or, with --task, until the task has ended. JSON is one object a line then.\n\n" +
			"Of container health checks the failed ones are shown, and with --all-health-checks those that passed as well.",
		Example: "  setops -p shop -s production --app web log -n 100\n" +
			"  setops -p shop -s production --app web log -f --task 5b01a061\n" +
			"  setops -p shop -s production --app web log --after 2026-03-17T09:58 --before 2026-03-17T10",
		Args: kit.AtMostArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.read(before, after); err != nil {
				return err
			}
			return run(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&opts.query.Limit, "limit", "n", 250, "show the newest `N` lines, 1 to 9999")
	flags.BoolVarP(&opts.follow, "follow", "f", false, "go on with new lines as they come")
	flags.StringVar(&before, "before", "", "only lines before this `TIME`")
	flags.StringVar(&after, "after", "", "only lines after this `TIME`")
	flags.StringVar(&opts.query.Task, "task", "", "only lines of the task with this `ID`, or the beginning of it")
	flags.BoolVar(&opts.query.AllHealthChecks, "all-health-checks", false, "show the health checks that passed, too")
	flags.BoolVar(&opts.noSource, "no-source", false, "leave out who wrote a line")
	kit.CompleteFlag(cmd, "task", k.CompleteTasks)
	return cmd
}

func (o *logOptions) read(before, after string) (err error) {
	if o.query.Limit < 1 || o.query.Limit > client.MaxLogLines {
		return &kit.Usage{
			Message: fmt.Sprintf("%d lines cannot be shown at once.", o.query.Limit),
			Next:    fmt.Sprintf("Give -n/--limit a number from 1 to %d.", client.MaxLogLines),
		}
	}
	if o.query.Before, err = kit.ParseTime("before", before); err != nil {
		return err
	}
	if o.query.After, err = kit.ParseTime("after", after); err != nil {
		return err
	}
	if o.follow && before != "" {
		return &kit.Usage{Message: "--follow shows what is to come, --before what has been.", Next: "Leave one of them out."}
	}
	return nil
}

func runLog(ctx context.Context, opts *logOptions) error {
	ref, c, err := opts.kit.AtApp("")
	if err != nil {
		return err
	}
	if opts.follow {
		opts.query.Gap = opts.tellGap
		_, err := c.FollowLog(ctx, ref, opts.query, opts.print)
		return err
	}
	lines, err := c.Log(ctx, ref, opts.query)
	if err != nil {
		return err
	}
	return opts.kit.Show(api.LogLines{Lines: lines}, func(w io.Writer) error {
		for _, l := range lines {
			if err := render.LogLine(w, l, !opts.noSource); err != nil {
				return err
			}
		}
		return nil
	})
}

// tellGap says where lines may be missing. It is no note that --quiet leaves out.
func (o *logOptions) tellGap(taskID string) error {
	_, err := fmt.Fprintf(o.kit.Err, "⚠️  Lines of task %s may be missing here: they were deleted, to keep the log within its limits, before they could be shown.\n", taskID)
	return err
}

// print shows a line the moment it comes.
func (o *logOptions) print(l api.LogLine) error {
	if o.kit.Flags.Output == kit.JSON {
		return render.JSONLine(o.kit.Out, l)
	}
	return render.LogLine(o.kit.Out, l, !o.noSource)
}
