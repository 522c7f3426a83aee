// Package version holds the command version. It reads no file and asks no server.
package version

import (
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	return []*cobra.Command{{
		Use:     "version",
		Short:   "Show the version of this program",
		Example: "  setops version\n  setops version -o json",
		Args:    kit.AtMostArgs(0),
		RunE: func(*cobra.Command, []string) error {
			return k.Show(map[string]string{"version": k.Version}, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "CLI Version:      %s\n", k.Version)
				return err
			})
		},
	}}
}
