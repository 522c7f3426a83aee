package root

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/spf13/cobra"
)

// addHelp installs `--help` and the command help. The screen is written in plain Go: a template would cost every start of
// the program more than most commands do.
func addHelp(root *cobra.Command) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { cmd.Print(screen(cmd)) })
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		cmd.Print(usage(cmd) + "\n")
		return nil
	})
	root.AddCommand(topics()...)
	root.SetHelpCommand(newHelp(root))
	for _, c := range root.Commands() {
		c.DisableFlagsInUseLine = true // usage puts them where they may stand
		for _, sub := range c.Commands() {
			sub.DisableFlagsInUseLine = true
		}
	}
}

func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Show help about a command or a topic",
		Example: "  setops help release:create\n  setops help exit-codes",
		GroupID: programGroup,
		RunE: func(_ *cobra.Command, args []string) error {
			target, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 && target == root {
				return unknownCommand(root, args[0])
			}
			if len(rest) > 0 {
				return &kit.Usage{
					Message: fmt.Sprintf("%s has nothing called %q.", target.CommandPath(), rest[0]),
					Next:    fmt.Sprintf("Type `%s --help`.", target.CommandPath()),
				}
			}
			return target.Help()
		},
		ValidArgsFunction: func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, c := range root.Commands() {
				if strings.HasPrefix(c.Name(), begun) && (c.IsAvailableCommand() || isTopic(c)) {
					names = append(names, c.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// helpWidth is what usual terminals have.
const helpWidth = 80

// fill breaks the lines of each paragraph anew. Lines that begin with a blank are laid out already.
func fill(text string) string {
	var filled []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		lines, length := []string{}, helpWidth
		for line := range strings.SplitSeq(paragraph, "\n") {
			if strings.HasPrefix(line, " ") {
				lines, length = append(lines, line), helpWidth
				continue
			}
			for word := range strings.FieldsSeq(line) {
				n := utf8.RuneCountInString(word)
				if length+1+n > helpWidth {
					lines, length = append(lines, word), n
					continue
				}
				lines[len(lines)-1] += " " + word
				length += 1 + n
			}
		}
		filled = append(filled, strings.Join(lines, "\n"))
	}
	return strings.Join(filled, "\n\n")
}

// screen is the help of a command: what it does, how to type it, examples, what is below it, flags.
func screen(cmd *cobra.Command) string {
	var b strings.Builder
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintln(&b, fill(text))
	if isTopic(cmd) {
		return b.String()
	}
	fmt.Fprintf(&b, "\nUsage:\n  %s\n", usage(cmd))
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	}
	for _, g := range cmd.Groups() {
		list(&b, g.Title, cmd.Commands(), func(c *cobra.Command) bool { return c.GroupID == g.ID && c.IsAvailableCommand() })
	}
	list(&b, "Topics", cmd.Commands(), isTopic)
	if cmd.HasParent() {
		list(&b, below(cmd), cmd.Commands(), (*cobra.Command).IsAvailableCommand)
		if local := cmd.LocalNonPersistentFlags(); local.HasAvailableFlags() {
			fmt.Fprintf(&b, "\nFlags:\n%s", local.FlagUsagesWrapped(helpWidth))
		}
	}
	fmt.Fprintf(&b, "\nFlags of every command:\n%s", cmd.Root().PersistentFlags().FlagUsagesWrapped(helpWidth))
	return b.String()
}

func list(b *strings.Builder, title string, commands []*cobra.Command, wanted func(*cobra.Command) bool) {
	headed := false
	for _, c := range commands {
		if !wanted(c) {
			continue
		}
		if !headed {
			fmt.Fprintf(b, "\n%s:\n", title)
			headed = true
		}
		fmt.Fprintf(b, "  %-19s%s\n", c.Name(), c.Short)
	}
}

// below is the heading of the commands below a group: "Settings" for one that is used as `container:set SETTING`.
func below(group *cobra.Command) string {
	_, what, _ := strings.Cut(group.Use, " ")
	if what == "" {
		return "Commands"
	}
	return what[:1] + strings.ToLower(what[1:]) + "s"
}

// Usage is the line to type.
func Usage(cmd *cobra.Command) string { return usage(cmd) }

func usage(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return "setops [flags] COMMAND [arguments] [flags] [-- arguments]"
	}
	for _, dashes := range []string{" -- ", " [-- "} {
		if before, after, found := strings.Cut(cmd.UseLine(), dashes); found {
			return before + " [flags]" + dashes + after
		}
	}
	return cmd.UseLine() + " [flags]"
}

// isTopic says whether cmd is only a page to read.
func isTopic(cmd *cobra.Command) bool {
	return cmd.HasParent() && !cmd.Parent().HasParent() && !cmd.Runnable() && !cmd.HasSubCommands()
}
