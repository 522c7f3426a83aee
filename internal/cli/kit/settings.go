package kit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// NewGroup makes the command of a verb that wants to know what to set: each setting is a command below it.
func NewGroup(group *cobra.Command, settings ...*cobra.Command) *cobra.Command {
	names := make([]string, 0, len(settings))
	for _, s := range settings {
		names = append(names, s.Name())
	}
	group.AddCommand(settings...)
	group.RunE = func(cmd *cobra.Command, args []string) error {
		message := fmt.Sprintf("`%s` needs to know what: %s.", cmd.CommandPath(), strings.Join(names, ", "))
		if len(args) > 0 {
			message = fmt.Sprintf("`%s` does not know %q, only %s.", cmd.CommandPath(), Quotable(args[0]), strings.Join(names, ", "))
		}
		return &Usage{Message: message, Next: fmt.Sprintf("Type `%s --help` for more.", cmd.CommandPath())}
	}
	group.Args = cobra.ArbitraryArgs
	return group
}

// Number reads the value of a setting that is a number; the server knows which numbers it may be.
func Number(setting, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, &Usage{Message: fmt.Sprintf("%q is no whole number.", value), Next: fmt.Sprintf("Give %s as digits only.", setting)}
	}
	return n, nil
}

// Fields reads the settings to unset, by the names that the command line has for them, into those of the API.
func Fields(cmd *cobra.Command, args, known []string) ([]string, error) {
	fields := make([]string, 0, len(args))
	for _, a := range args {
		if !slices.Contains(known, a) {
			return nil, &Usage{
				Message: fmt.Sprintf("`%s` does not know %q, only %s.", cmd.CommandPath(), Quotable(a), strings.Join(known, ", ")),
				Next:    typeInstead(cmd),
			}
		}
		fields = append(fields, strings.ReplaceAll(a, "-", "_"))
	}
	return fields, nil
}
