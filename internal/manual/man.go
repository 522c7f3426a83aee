package manual

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/setopsco/setops/internal/cli/root"
)

// manPages are docs/man: setops(1), a page for each noun, and setopsd(8).
func manPages(commands *cobra.Command, nouns []*noun, server *cobra.Command) map[string]string {
	pages := map[string]string{
		"man/setops.1":  overview(commands, nouns),
		"man/setopsd.8": serverPage(server),
	}
	for _, n := range nouns {
		if !n.topic {
			pages["man/setops-"+n.name+".1"] = nounManual(n)
		}
	}
	return pages
}

// A roff is a page for man(1), which is written in lines that begin with a macro and lines of text.
type roff struct{ strings.Builder }

func newRoff(name string, section int, about string) *roff {
	r := &roff{}
	fmt.Fprintf(r, ".\\\" Written by make docs.\n.TH %s %d \"\" SetOps \"Manual of SetOps\"\n.ad l\n.nh\n.SH NAME\n%s \\- %s\n",
		quote(strings.ToUpper(name)), section, escape(name), escape(about))
	return r
}

func (r *roff) section(title string)    { fmt.Fprintf(r, ".SH %s\n", quote(strings.ToUpper(title))) }
func (r *roff) subsection(title string) { fmt.Fprintf(r, ".SS %s\n", quote(title)) }

// text writes paragraphs, which blank lines part.
func (r *roff) text(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			r.WriteString(".PP\n")
		}
		for line := range strings.Lines(paragraph + "\n") {
			r.WriteString(escape(strings.TrimSpace(line)) + "\n")
		}
	}
}

// verbatim writes lines as they are.
func (r *roff) verbatim(text string) {
	r.WriteString(".PP\n.nf\n")
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		r.WriteString(escape(strings.TrimRight(line, "\n")) + "\n")
	}
	r.WriteString(".fi\n")
}

func (r *roff) flags(all []flag) {
	for _, f := range all {
		fmt.Fprintf(r, ".TP\n\\fB%s\\fR\n%s\n", escape(f.spelling), escape(f.usage))
	}
}

// escape keeps characters what they are: a dash to be typed, a backslash, a dot that begins a line.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", `\(ga`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

func quote(text string) string { return `"` + strings.ReplaceAll(escape(text), `"`, `\(dq`) + `"` }

func (r *roff) command(c *cobra.Command, usage string) {
	r.verbatim(usage)
	r.WriteString(".PP\n")
	r.text(described(c))
	if local := c.LocalNonPersistentFlags(); local.HasAvailableFlags() {
		r.flags(listed(local))
	}
	if c.HasExample() {
		r.WriteString(".PP\nExamples:\n")
		r.verbatim("  " + strings.ReplaceAll(unindent(c.Example), "\n", "\n  "))
	}
}

func overview(commands *cobra.Command, nouns []*noun) string {
	r := newRoff("setops", 1, strings.ToLower(commands.Short[:1])+commands.Short[1:])
	r.section("Synopsis")
	r.verbatim(root.Usage(commands))
	r.section("Description")
	r.text(commands.Long)
	r.section("Commands")
	var also []string
	for _, n := range nouns {
		if n.topic {
			continue
		}
		also = append(also, `\fBsetops\-`+escape(n.name)+`\fR(1)`)
		for _, c := range n.commands {
			if c.Parent() == commands {
				fmt.Fprintf(r, ".TP\n\\fB%s\\fR\n%s\n", escape(c.Name()), escape(c.Short))
			}
		}
	}
	r.section("Options")
	r.flags(listed(commands.PersistentFlags()))
	for _, n := range nouns {
		if n.topic {
			_, text, _ := strings.Cut(n.commands[0].Long, "\n\n")
			r.section(n.name)
			r.verbatim(text)
		}
	}
	r.section("See also")
	r.WriteString(strings.Join(also, ",\n") + ",\n\\fBsetopsd\\fR(8)\n")
	return r.String()
}

func nounManual(n *noun) string {
	r := newRoff("setops-"+n.name, 1, n.commands[0].Short)
	r.section("Synopsis")
	for _, c := range n.commands {
		r.verbatim(root.Usage(c))
	}
	r.section("Commands")
	for _, c := range n.commands {
		r.subsection(c.CommandPath())
		r.command(c, root.Usage(c))
	}
	r.section("See also")
	r.WriteString("\\fBsetops\\fR(1) has the flags of every command, variables, files and exit codes.\n")
	return r.String()
}

func serverPage(server *cobra.Command) string {
	r := newRoff("setopsd", 8, strings.ToLower(server.Short[:1])+server.Short[1:])
	r.section("Synopsis")
	for _, c := range server.Commands() {
		if c.IsAvailableCommand() {
			r.verbatim(c.UseLine())
		}
	}
	r.section("Commands")
	for _, c := range server.Commands() {
		if c.IsAvailableCommand() {
			r.subsection(c.CommandPath())
			r.command(c, c.UseLine())
		}
	}
	r.section("Files")
	r.WriteString(".TP\n\\fI/var/lib/setops\\fR\neverything that the server keeps, unless \\-\\-data\\-dir says otherwise\n")
	r.section("See also")
	r.WriteString("\\fBsetops\\fR(1), and \\fBsetops docs server\\fR for the page about running it.\n")
	return r.String()
}
