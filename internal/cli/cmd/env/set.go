package env

import (
	"context"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/api"
	"github.com/spf13/cobra"
)

type setOptions struct {
	kit         *kit.Kit
	vars        []api.EnvVar
	description string
	secret      bool
}

func newSet(k *kit.Kit, run func(context.Context, *setOptions) error) *cobra.Command {
	opts := &setOptions{kit: k}
	cmd := &cobra.Command{
		Use:   "env:set KEY=VALUE...",
		Short: "Set environment variables of an app",
		Long: "Set environment variables of an app. It is staged: new tasks take the place of the old ones at\n" +
			"`setops changeset:commit`. A KEY alone means KEY=true.\n\n" +
			"With --secret the variable is write-only: its tasks get the value, and no command and no request shows it again, to\n" +
			"nobody. It stays so when it is set once more, until `setops env:unset KEY`.",
		Example: "  setops -p shop -s production --app web env:set RACK_ENV=production --description \"The environment\"\n" +
			"  setops -p shop -s production --app web env:set WORKERS=2 VERBOSE\n" +
			"  setops -p shop -s production --app web env:set SECRET_KEY_BASE=\"$(openssl rand -hex 64)\" --secret",
		Args: kit.SomeArgs("KEY=VALUE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, a := range args {
				if err := opts.check(a); err != nil {
					return err
				}
				opts.vars = append(opts.vars, opts.parse(a))
			}
			return run(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.description, "description", "", "`TEXT` that says what the variables are for")
	cmd.Flags().BoolVar(&opts.secret, "secret", false, "never show the values again, to anybody")
	return cmd
}

// check refuses, without quoting it, what would not be set as it stands there: text that is none, and with --secret an argument that
// may be a value without its key.
func (o *setOptions) check(argument string) error {
	switch {
	case !utf8.ValidString(argument):
		return &kit.Usage{Message: "One of the values is not UTF-8 text.", Next: "Encode it, as with base64, and have the app decode it."}
	case o.secret && !strings.ContainsAny(argument, "=:"):
		return &kit.Usage{Message: "With --secret, each argument must be KEY=VALUE.", Next: "One has no `=`."}
	}
	return nil
}

// parse reads KEY=VALUE, or KEY:VALUE where there is no equals sign, or KEY alone.
func (o *setOptions) parse(argument string) api.EnvVar {
	if key, value, found := strings.Cut(argument, "="); found {
		return api.EnvVar{Key: key, Value: &value, Description: o.description}
	}
	if key, value, found := strings.Cut(argument, ":"); found {
		o.kit.Note("%s: there is no `=`, so the first `:` ends the key. Better write %s=VALUE.", key, key)
		return api.EnvVar{Key: key, Value: &value, Description: o.description}
	}
	return api.EnvVar{Key: argument, Value: new("true"), Description: o.description}
}

func runSet(ctx context.Context, opts *setOptions) error {
	ref, err := opts.kit.App("")
	if err != nil {
		return err
	}
	commands := make([]api.Arguments, 0, len(opts.vars))
	for _, v := range opts.vars {
		commands = append(commands, api.EnvSet{Name: ref.App, Key: v.Key, Value: *v.Value, Description: v.Description, Secret: opts.secret})
	}
	return opts.kit.StageCommands(ctx, ref.StageRef, opts.echo, commands...)
}

// echo shows what was typed, as the server does not send values back; but what is secret, also by an earlier command, is not shown.
func (o *setOptions) echo(w io.Writer, effects []api.Effect) error {
	shown := slices.Clone(o.vars)
	for i := range shown {
		shown[i].Secret = o.secret || i < len(effects) && effects[i].Secret
	}
	return show(w, shown)
}
