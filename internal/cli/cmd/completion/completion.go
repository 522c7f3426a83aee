// Package completion holds the command completion: it prints scripts that teach a shell the commands of setops.
package completion

import (
	_ "embed"
	"fmt"
	"io"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

// fallback stands in for the bash-completion package, which many servers lack.
//
//go:embed fallback.bash
var fallback string

// Commands are the commands of this noun.
func Commands(k *kit.Kit) []*cobra.Command {
	group := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print a script that completes commands in a shell",
		Long:  "Print a script that makes the tab key complete the commands, flags and names of setops.",
		Example: "  source <(setops completion bash)\n" +
			"  setops completion zsh > \"${fpath[1]}/_setops\"\n" +
			"  setops completion fish | source",
	}
	return []*cobra.Command{kit.NewGroup(group,
		newShell(k, "bash", func(root *cobra.Command, w io.Writer) error {
			if err := root.GenBashCompletionV2(w, true); err != nil {
				return err
			}
			_, err := io.WriteString(w, fallback)
			return err
		}),
		newShell(k, "zsh", (*cobra.Command).GenZshCompletion),
		newShell(k, "fish", func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) }),
		newShell(k, "powershell", (*cobra.Command).GenPowerShellCompletionWithDesc),
	)}
}

func newShell(k *kit.Kit, shell string, generate func(*cobra.Command, io.Writer) error) *cobra.Command {
	return &cobra.Command{
		Use:   shell,
		Short: fmt.Sprintf("Print the script for %s", shell),
		Args:  kit.AtMostArgs(0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return generate(cmd.Root(), k.Out) },
	}
}
