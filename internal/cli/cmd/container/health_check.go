package container

import (
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

func newSetHealthCheck(k *kit.Kit, run setRun) *cobra.Command {
	var interval, timeout, retries, startPeriod int
	cmd := &cobra.Command{
		Use:   "health-check -- ARGV",
		Short: "Set a command that tells whether a task is healthy",
		Long: "Set a command that is run inside each task; exit code 0 means healthy. A new task gets traffic only once it has\n" +
			"passed, and a task that fails it several times in a row is replaced. It is staged.",
		Example: "  setops -p shop -s production --app web container:set health-check -- curl -fs http://localhost:5000/up",
		Args:    kit.SomeArgs("the words of a command"),
		RunE: func(cmd *cobra.Command, args []string) error {
			check := &api.HealthCheckPatch{Command: args}
			for name, value := range map[string]struct {
				from *int
				to   **int
			}{
				"interval":     {&interval, &check.Interval},
				"timeout":      {&timeout, &check.Timeout},
				"retries":      {&retries, &check.Retries},
				"start-period": {&startPeriod, &check.StartPeriod},
			} {
				if cmd.Flags().Changed(name) {
					*value.to = value.from
				}
			}
			return run(cmd.Context(), &setOptions{kit: k, container: api.ContainerSet{HealthCheck: check}})
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&interval, "interval", 10, "`SECONDS` between two checks, 1 to 300")
	flags.IntVar(&timeout, "timeout", 10, "`SECONDS` that a check may take, 1 to 60")
	flags.IntVar(&retries, "retries", 5, "`N` failures in a row that make a task unhealthy, 1 to 30")
	flags.IntVar(&startPeriod, "start-period", 15, "`SECONDS` after the start in which failures do not count, 0 to 300")
	return cmd
}
