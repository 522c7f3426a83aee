package root

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/shlex"
	"github.com/spf13/cobra"
)

var (
	block  = regexp.MustCompile("(?ms)^[ \t]*```[a-z]*\n(.*?)^[ \t]*```")
	inline = regexp.MustCompile("`(setops [^`]+)`")
	// ends are what ends a command in a line of a shell.
	ends = regexp.MustCompile(`\s(\|\||&&|[|;&>]|2>)(\s|$)|\)\s|\)$|;|\s#\s`)
)

// TestEveryCommandOfTheManualCanBeTyped reads each line with setops in the manual as a shell does, and has the parser look at it:
// the command, its flags, the number of its arguments.
func TestEveryCommandOfTheManualCanBeTyped(t *testing.T) {
	lines := 0
	typed := func(page, line string) {
		lines++
		line = strings.ReplaceAll(line, "$release", "1") // what a script has of an earlier line
		if err := parse(line); err != nil {
			t.Errorf("%s: `%s`: %v", page, line, err)
		}
	}
	for _, page := range manualPages(t) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range block.FindAllStringSubmatch(string(text), -1) {
			for _, line := range commandsIn(m[1]) {
				typed(page, line)
			}
		}
		for _, m := range inline.FindAllStringSubmatch(block.ReplaceAllString(string(text), ""), -1) {
			for _, line := range commandsIn(m[1]) {
				typed(page, line)
			}
		}
	}
	if lines < 100 {
		t.Errorf("only %d commands were found in the manual", lines)
	}
}

// manualPages are those that say what to type; records of decisions may speak of what was.
func manualPages(t *testing.T) []string {
	t.Helper()
	all := []string{"../../../README.md"}
	err := filepath.WalkDir("../../../docs", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".md") && !strings.Contains(name, "/adr/") && !strings.Contains(name, "/cli/") {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// commandsIn finds the commands of setops in a piece of shell: at the beginning of a line, behind a prompt, or behind another command.
func commandsIn(script string) []string {
	var all []string
	script = strings.ReplaceAll(script, "\\\n", " ")
	for line := range strings.Lines(script) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
		for {
			at := strings.Index(line, "setops ")
			if at < 0 {
				break
			}
			before, rest := line[:at], line[at+len("setops "):]
			line = rest
			if before != "" && !strings.HasSuffix(strings.TrimRight(before, " "), "&&") && !strings.HasSuffix(strings.TrimRight(before, " "), "|") &&
				!strings.HasSuffix(strings.TrimRight(before, " "), ";") && !strings.HasSuffix(before, "$(") && !strings.HasSuffix(before, "<(") {
				continue
			}
			if end := ends.FindStringIndex(quotesBlanked(rest)); end != nil {
				rest = rest[:end[0]]
			}
			if grammar := strings.HasPrefix(rest, "["); !grammar {
				all = append(all, strings.TrimSpace(rest))
			}
		}
	}
	return all
}

// quotesBlanked hides what is in quotes, where nothing ends a command; all else stays where it is.
func quotesBlanked(line string) string {
	var quote byte
	blank := []byte(line)
	for i, b := range blank {
		switch {
		case quote == 0 && (b == '\'' || b == '"'):
			quote = b
		case b == quote:
			quote = 0
		case quote != 0:
			blank[i] = 'x'
		}
	}
	return string(blank)
}

func parse(line string) error {
	words, err := shlex.Split(line)
	if err != nil {
		return err
	}
	top := tree(io.Discard)
	top.InitDefaultHelpCmd()
	if words[0] == "help" && len(words) > 1 && words[1] != "COMMAND" {
		words = words[1:] // about a command that has to be there
		if cmd, rest, err := top.Find(arrange(top, words)); err != nil || len(rest) > 0 {
			return unknownCommand(top, words[0])
		} else if cmd != top {
			return nil
		}
	}
	cmd, rest, err := top.Find(arrange(top, words))
	if err != nil {
		return err
	}
	if cmd == top && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		return unknownCommand(top, rest[0])
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if help := cmd.Flags().Lookup("help"); help != nil && help.Changed || isTopic(cmd) {
		return nil
	}
	args := cmd.Flags().Args()
	if strings.Contains(line, "…") || isPattern(cmd, line) {
		return nil // it says that something is left out
	}
	return cmd.ValidateArgs(args)
}

// isPattern tells the naming of a command in a sentence, `setops domain:create`, from a line to be typed.
func isPattern(cmd *cobra.Command, line string) bool {
	return strings.TrimSpace(line) == strings.TrimPrefix(cmd.CommandPath(), "setops ")
}
