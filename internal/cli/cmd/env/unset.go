package env

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type unsetOptions struct {
	kit  *kit.Kit
	keys []string
}

func newUnset(k *kit.Kit, run func(context.Context, *unsetOptions) error) *cobra.Command {
	opts := &unsetOptions{kit: k}
	return &cobra.Command{
		Use:               "env:unset KEY...",
		Short:             "Remove environment variables of an app",
		Long:              "Remove environment variables of an app. It is staged until `setops changeset:commit`.",
		Example:           "  setops -p shop -s production --app web env:unset RACK_ENV",
		Args:              kit.SomeArgs("a KEY"),
		ValidArgsFunction: k.CompleteEnv,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.keys = args
			return run(cmd.Context(), opts)
		},
	}
}

func runUnset(ctx context.Context, opts *unsetOptions) error {
	ref, err := opts.kit.App("")
	if err != nil {
		return err
	}
	commands := make([]api.Arguments, 0, len(opts.keys))
	for _, key := range opts.keys {
		commands = append(commands, api.EnvUnset{Name: ref.App, Key: key})
	}
	return opts.kit.StageCommands(ctx, ref.StageRef, opts.echo, commands...)
}

func (o *unsetOptions) echo(w io.Writer, _ []api.Effect) error {
	if _, err := fmt.Fprintln(w, "ENVs:"); err != nil {
		return err
	}
	for _, key := range o.keys {
		if _, err := fmt.Fprintf(w, "-- %s   (unset)\n", key); err != nil {
			return err
		}
	}
	return nil
}
