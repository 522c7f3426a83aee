package schedule

import (
	"context"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// createOptions hold what to stage; the app's name is filled in when it is.
type createOptions struct {
	kit      *kit.Kit
	schedule api.ScheduleCreate
	timeout  time.Duration // 0: not given
}

func newCreate(k *kit.Kit, run func(context.Context, *createOptions) error) *cobra.Command {
	opts := &createOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "schedule:create NAME --cron TIMES -- ARGV",
		Short: "Have a command of an app run regularly",
		Long: "Run a command again and again, each time in a one-off task of the active release with the committed settings of the\n" +
			"app. It is staged; no task is restarted.\n\n" +
			"--cron has five fields: minute, hour, day of the month, month, day of the week, in UTC. A run that is due while the\n" +
			"one before has not ended is skipped, and that run's log says so. Where no server was there in time, the latest run\n" +
			"that was missed is made up for within an hour.",
		Example: "  setops -p shop -s production --app web schedule:create nightly --cron \"0 3 * * *\" -- bin/clean-up --all\n" +
			"  setops -p shop -s production --app web schedule:create report --cron \"*/15 8-18 * * mon-fri\" --timeout 10m -- rake report",
		Args: kit.SomeArgs("the NAME of the schedule"),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.schedule.Schedule, opts.schedule.Command = args[0], args[1:]
			if err := opts.read(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.schedule.Cron, "cron", "", "`TIMES` at which it is due, as \"0 3 * * *\"")
	cmd.Flags().DurationVar(&opts.timeout, "timeout", 0, "stop a run after this `TIME`, 24h at most (default 1h)")
	return cmd
}

func (o *createOptions) read(cmd *cobra.Command) error {
	if o.schedule.Cron == "" {
		return &kit.Usage{Message: "It is not said when it runs.", Next: "Add --cron \"0 3 * * *\": minute, hour, day of the month, month, day of the week, in UTC."}
	}
	if len(o.schedule.Command) == 0 {
		return &kit.Usage{Message: "There is no command to run.", Next: "Add it at the end, behind --."}
	}
	if !cmd.Flags().Changed("timeout") {
		return nil
	}
	if o.timeout%time.Second != 0 {
		return &kit.Usage{Message: fmt.Sprintf("--timeout %s is no whole number of seconds.", o.timeout), Next: "Write it like 90s, 10m or 2h."}
	}
	seconds := int(o.timeout / time.Second)
	o.schedule.Timeout = &seconds
	return nil
}

func runCreate(ctx context.Context, opts *createOptions) error {
	ref, err := opts.kit.App("")
	if err != nil {
		return err
	}
	opts.schedule.Name = ref.App
	return opts.kit.StageCommands(ctx, ref.StageRef, render.Effects, opts.schedule)
}
