package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/setopsco/setops/internal/cli/root"
)

// generated is the first line of each page.
const generated = "<!-- Written by make docs. -->\n\n"

// A noun is a page: release, with release:create and release:activate.
type noun struct {
	name     string
	group    string
	topic    bool
	commands []*cobra.Command
}

// nounsOf gathers the commands in the order in which help shows them.
func nounsOf(commands *cobra.Command) []*noun {
	var nouns []*noun
	at := map[string]*noun{}
	for _, c := range inOrder(commands) {
		name, _, _ := strings.Cut(c.Name(), ":")
		if at[name] == nil {
			at[name] = &noun{name: name, group: c.GroupID, topic: !c.Runnable()}
			nouns = append(nouns, at[name])
		}
		at[name].commands = append(at[name].commands, c)
		at[name].commands = append(at[name].commands, c.Commands()...)
	}
	return nouns
}

func inOrder(commands *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	add := func(wanted func(*cobra.Command) bool) {
		for _, c := range commands.Commands() {
			if !c.Hidden && wanted(c) {
				all = append(all, c)
			}
		}
	}
	for _, g := range commands.Groups() {
		add(func(c *cobra.Command) bool { return c.GroupID == g.ID })
	}
	add(func(c *cobra.Command) bool { return c.GroupID == "" })
	return all
}

// commandPages are docs/cli: an index, and a page per noun.
func commandPages(commands *cobra.Command, nouns []*noun) map[string]string {
	pages := map[string]string{}
	var index strings.Builder
	index.WriteString(generated + "# Reference of the commands\n\n" + markdown(commands.Long) + "\n")
	group := ""
	for _, n := range nouns {
		title := n.group
		if n.topic {
			title = "Topics"
		}
		if title != group {
			group = title
			fmt.Fprintf(&index, "\n## %s\n\n| | |\n|---|---|\n", group)
		}
		for _, c := range n.commands {
			if c.Parent() == commands {
				fmt.Fprintf(&index, "| [%s](%s.md#%s) | %s |\n", c.Name(), n.name, anchor(heading(c, n)), c.Short)
			}
		}
		pages["cli/"+n.name+".md"] = nounPage(n)
	}
	index.WriteString("\n## Flags of every command\n\n" + flagTable(commands.PersistentFlags()))
	pages["cli/README.md"] = index.String()
	return pages
}

func heading(c *cobra.Command, n *noun) string {
	if n.topic {
		return c.Short
	}
	return c.CommandPath()
}

// anchor is how a heading is linked to.
func anchor(heading string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
			return r
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(heading))
}

func nounPage(n *noun) string {
	var b strings.Builder
	b.WriteString(generated)
	if n.topic {
		c := n.commands[0]
		_, text, _ := strings.Cut(c.Long, "\n\n") // the first line is the title
		fmt.Fprintf(&b, "# %s\n\n```\n%s\n```\n", c.Short, text)
		return b.String()
	}
	fmt.Fprintf(&b, "# setops %s\n\nFlags that every command has are in the [index](README.md#flags-of-every-command).\n", n.name)
	for _, c := range n.commands {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```\n%s\n```\n", c.CommandPath(), markdown(described(c)), root.Usage(c))
		if c.HasExample() {
			fmt.Fprintf(&b, "\nExamples:\n\n```\n%s\n```\n", unindent(c.Example))
		}
		if local := c.LocalNonPersistentFlags(); local.HasAvailableFlags() {
			b.WriteString("\n" + flagTable(local))
		}
	}
	return b.String()
}

// described is what help says of a command.
func described(c *cobra.Command) string {
	if c.Long != "" {
		return c.Long
	}
	return c.Short + "."
}

// markdown quotes what a sentence of help has that Markdown would read as something else.
func markdown(text string) string {
	return strings.NewReplacer("<", `\<`, "*", `\*`).Replace(text)
}

func unindent(example string) string {
	lines := strings.Split(strings.TrimRight(example, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}

// flagTable lists flags with what they take.
func flagTable(flags *pflag.FlagSet) string {
	var b strings.Builder
	b.WriteString("| flag | |\n|---|---|\n")
	for _, f := range listed(flags) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", f.spelling, markdown(strings.ReplaceAll(f.usage, "|", `\|`)))
	}
	return b.String()
}

// A listed flag is spelled as it is typed, -n, --limit N, and says its default where it has one that counts.
type flag struct{ spelling, usage string }

func listed(flags *pflag.FlagSet) []flag {
	var all []flag
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		placeholder, usage := pflag.UnquoteUsage(f)
		spelling := "--" + f.Name
		if f.Shorthand != "" {
			spelling = "-" + f.Shorthand + ", " + spelling
		}
		if placeholder != "" {
			spelling += " " + placeholder
		}
		if zero := f.DefValue == "" || f.DefValue == "0" || f.DefValue == "false" || f.DefValue == "[]" || f.DefValue == "0s"; !zero && !strings.Contains(usage, "(default ") {
			usage += " (default " + f.DefValue + ")"
		}
		all = append(all, flag{spelling, usage})
	})
	return all
}
