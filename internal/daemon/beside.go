package daemon

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// withSettings gives a command beside serve those flags of the server that are named, and --config. Once fill was called, the
// settings are what serve would have: from flags, variables and the file.
func withSettings(cmd *cobra.Command, getenv func(string) string, names ...string) (c *Config, fill func() error) {
	c = &Config{}
	all := pflag.NewFlagSet("serve", pflag.ContinueOnError) // a file of settings may have any of them
	c.Flags(all)
	for _, name := range names {
		cmd.Flags().AddFlag(all.Lookup(name))
	}
	return c, withFile(cmd, all, getenv, "YAML file with the settings of the server")
}

// withFile gives a command the flag --config, whose file fill takes the settings from that the flags do not say.
func withFile(cmd *cobra.Command, settings *pflag.FlagSet, getenv func(string) string, usage string) (fill func() error) {
	file := cmd.Flags().String("config", "", usage)
	return func() error {
		if *file == "" {
			*file = getenv(Variable("config"))
		}
		return Fill(settings, *file, getenv)
	}
}

// withOutput gives a command the flag --output. Once it is parsed, asJSON says what was chosen.
func withOutput(cmd *cobra.Command) (asJSON func() (bool, error)) {
	output := cmd.Flags().StringP("output", "o", "human", "human or json")
	return func() (bool, error) {
		if *output != "human" && *output != "json" {
			return false, fmt.Errorf("--output %q is neither human nor json", *output)
		}
		return *output == "json", nil
	}
}

// writeJSON prints a value for programs.
func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(value)
}
