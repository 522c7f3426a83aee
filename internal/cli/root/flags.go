package root

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// spellings are other names of flags that scripts use.
var spellings = map[string]string{
	"ignore-exist":      "ignore-exists",
	"ignore-not-exists": "ignore-not-exist",
	"detached":          "detach",
}

func addFlags(root *cobra.Command, k *kit.Kit) {
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if other, found := spellings[name]; found {
			name = other
		}
		return pflag.NormalizedName(name)
	})
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVarP(&k.Flags.Project, "project", "p", "", "`PROJECT` to work on (default SETOPS_PROJECT)")
	flags.StringVarP(&k.Flags.Stage, "stage", "s", "", "`STAGE` to work on (default SETOPS_STAGE)")
	flags.StringVar(&k.Flags.App, "app", "", "`APP` to work on (default SETOPS_APP)")
	flags.StringVar(&k.Flags.Domain, "domain", "", "`DOMAIN` to work on, a custom one of the app")
	flags.VarP(&k.Flags.Output, "output", "o", "table, wide, plain or json")
	flags.BoolVarP(&k.Flags.Quiet, "quiet", "q", false, "print nothing but results and errors")
	flags.BoolVar(&k.Flags.Debug, "debug", false, "print each request to the server, without secrets")
	flags.BoolP("help", "h", false, "show help")

	kit.CompleteFlag(root, "project", k.CompleteProjects)
	kit.CompleteFlag(root, "stage", k.CompleteStages)
	kit.CompleteFlag(root, "app", k.CompleteApps)
	kit.CompleteFlag(root, "domain", k.CompleteDomains)
	kit.CompleteFlag(root, "output", cobra.FixedCompletions(kit.Outputs(), cobra.ShellCompDirectiveNoFileComp))
}

// AsksJSON says whether args have `-o json`, for errors in args that end their parsing before it is read.
func AsksJSON(args []string) bool {
	for i, a := range args {
		switch a {
		case "--":
			return false
		case "-ojson", "-o=json", "--output=json":
			return true
		case "-o", "--output":
			if i+1 < len(args) && args[i+1] == string(kit.JSON) {
				return true
			}
		}
	}
	return false
}

// flagError says in a sentence what the parser found.
func flagError(cmd *cobra.Command, err error) error {
	next := fmt.Sprintf("`%s --help` lists the flags; what is not for setops goes behind `--`.", cmd.CommandPath())
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case isUsage(err), errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			name = "-" + unknown.GetSpecifiedName()
		}
		if similar := similarFlags(cmd, name); similar != "" {
			next = similar
		}
		return &kit.Usage{Message: fmt.Sprintf("`%s` has no flag %s.", cmd.CommandPath(), name), Next: next}
	case errors.As(err, &bare):
		return &kit.Usage{Message: fmt.Sprintf("--%s needs a value.", bare.GetFlag().Name), Next: next}
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "bool": // what stands there may be the secret itself
		return &kit.Usage{Message: fmt.Sprintf("--%s takes no value but true or false.", invalid.GetFlag().Name), Next: next}
	case errors.As(err, &invalid):
		return &kit.Usage{
			Message: fmt.Sprintf("--%s cannot be %q.", invalid.GetFlag().Name, invalid.GetValue()),
			Next:    whatItTakes(invalid),
		}
	}
	return &kit.Usage{Message: kit.Sentence(err.Error()), Next: next}
}

// similarFlags asks about flags of a command that are spelled nearly like name.
func similarFlags(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	if similar := kit.Similar(names, name); similar != "" && len(name) >= len("--ab") {
		return fmt.Sprintf("Did you mean `%s`?", similar)
	}
	return ""
}

func whatItTakes(e *pflag.InvalidValueError) string {
	var number *strconv.NumError
	if errors.As(e, &number) {
		return "It must be a whole number."
	}
	if e.GetFlag().Value.Type() == "duration" {
		return "It must be a time such as 90s, 10m or 1h30m."
	}
	return kit.Sentence(errors.Unwrap(e).Error())
}
