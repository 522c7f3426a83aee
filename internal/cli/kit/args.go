package kit

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// ExactArgs demands one argument for each name, for example "DIGEST".
func ExactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return &Usage{
				Message: fmt.Sprintf("`%s` needs %s.", cmd.CommandPath(), strings.Join(names[len(args):], " and ")),
				Next:    typeInstead(cmd),
			}
		case len(args) > len(names):
			return tooMany(cmd, args[len(names)])
		}
		return nil
	}
}

// AtMostArgs allows up to n arguments.
func AtMostArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return tooMany(cmd, args[n])
		}
		return nil
	}
}

// SomeArgs demands at least one argument, called name.
func SomeArgs(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return &Usage{Message: fmt.Sprintf("`%s` needs %s.", cmd.CommandPath(), name), Next: typeInstead(cmd)}
		}
		return nil
	}
}

// Optional gives the first argument, or nothing.
func Optional(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func tooMany(cmd *cobra.Command, argument string) error {
	u := &Usage{Message: fmt.Sprintf("`%s` does not take %q.", cmd.CommandPath(), Quotable(argument)), Next: typeInstead(cmd)}
	if !strings.Contains(cmd.Name(), ":") { // after a noun a verb was meant
		u.Next = first(DidYouMean(cmd.Root(), cmd.Name()+":"+argument), u.Next)
	}
	return u
}

// Quotable is what an error may quote of an argument that it does not understand: of KEY=VALUE and KEY:VALUE no value, since that
// may be a secret.
func Quotable(argument string) string {
	if end := strings.IndexAny(argument, "=:"); end >= 0 {
		return argument[:end+1] + "…"
	}
	return argument
}

func typeInstead(cmd *cobra.Command) string {
	return fmt.Sprintf("Type `%s`, or `%s --help` for more.", cmd.UseLine(), cmd.CommandPath())
}
