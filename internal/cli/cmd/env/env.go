// Package env holds the commands of the noun env: the environment of an app's tasks. Setting and unsetting are staged.
package env

import (
	"context"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/render"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{newList(k, runList), newSet(k, runSet), newUnset(k, runUnset)}
}

type listOptions struct{ kit *kit.Kit }

func newList(k *kit.Kit, run func(context.Context, *listOptions) error) *cobra.Command {
	opts := &listOptions{kit: k}
	return &cobra.Command{
		Use:     "env",
		Short:   "List the environment variables of an app",
		Long:    "List the last committed environment variables of an app with their values.",
		Example: "  setops -p shop -s production --app web env",
		Args:    kit.AtMostArgs(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), opts) },
	}
}

func runList(ctx context.Context, opts *listOptions) error {
	app, err := opts.kit.AppState(ctx, "")
	if err != nil {
		return err
	}
	if app.Env == nil {
		app.Env = []api.EnvVar{}
	}
	return opts.kit.Show(api.AppEnv{Name: app.Name, Env: app.Env}, func(w io.Writer) error {
		if err := new(render.Block).Add("Name", app.Name).Write(w); err != nil {
			return err
		}
		return show(w, app.Env)
	})
}

func show(w io.Writer, env []api.EnvVar) error {
	if _, err := fmt.Fprintln(w, "ENVs:"); err != nil {
		return err
	}
	return render.Env(w, env)
}
