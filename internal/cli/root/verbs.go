package root

import (
	"strings"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

// completeVerbs lets a noun be completed with a blank behind it as with a colon: `app cre` as `app:cre`. The root answers for
// nouns that are no command.
func completeVerbs(root *cobra.Command, k *kit.Kit) {
	root.ValidArgsFunction = func(root *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) != 1 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return verbs(root, args[0]), cobra.ShellCompDirectiveNoFileComp
	}
	for _, noun := range root.Commands() {
		if noun.ValidArgsFunction == nil && len(noun.ValidArgs) == 0 && len(verbs(root, noun.Name())) > 0 {
			noun.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
				switch line := strings.Join(append([]string{cmd.Name()}, args...), " "); line {
				case cmd.Name():
					return verbs(root, line), cobra.ShellCompDirectiveNoFileComp
				case "app log":
					return []string{"show"}, cobra.ShellCompDirectiveNoFileComp
				case "app log show":
					return k.CompleteApps(cmd, nil, begun)
				}
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
		}
	}
}

// verbs are what can stand behind a noun, each with what it does.
func verbs(root *cobra.Command, noun string) []string {
	var found []string
	for _, c := range root.Commands() {
		if verb, has := strings.CutPrefix(c.Name(), noun+":"); has && c.IsAvailableCommand() {
			found = append(found, cobra.CompletionWithDesc(verb, c.Short))
		}
	}
	return found
}
