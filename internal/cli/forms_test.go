package cli_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/shlex"
	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/internal/cli/root"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// texts are the commands whose result is a text for another program or a person, whatever -o says.
var texts = map[string]string{
	"help":                  "pages to read",
	"completion bash":       "a script",
	"completion zsh":        "a script",
	"completion fish":       "a script",
	"completion powershell": "a script",
	"docker":                "what Docker reads",
}

// A form is one command of the tree with a line that works and one that does not, of testdata/commands.txt.
type form struct {
	name            string // as in "container:set command"
	works, fails    string
	groupOfCommands bool // it only says which commands are below it
}

// TestEveryCommandIsRecordedInEachForm runs every command of the tree: as a table, with -o plain, with -o json, and failing,
// and compares what comes with testdata/forms.
func TestEveryCommandIsRecordedInEachForm(t *testing.T) {
	dir, err := filepath.Abs("testdata/forms")
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]bool{}
	for _, f := range forms(t) {
		file := strings.NewReplacer(":", "-", " ", "-").Replace(f.name) + ".txt"
		recorded[file] = true
		t.Run(f.name, func(t *testing.T) { compareWithFile(t, filepath.Join(dir, file), f.play(t)) })
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !recorded[file.Name()] {
			t.Errorf("testdata/forms/%s is of no command; remove it", file.Name())
		}
	}
}

// forms pairs the tree of commands with the lines of testdata/commands.txt.
func forms(t *testing.T) []form {
	t.Helper()
	const file = "testdata/commands.txt"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	works, fails := map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		typed, isFailure := strings.CutPrefix(line, "! ")
		if isFailure {
			fails[commandOf(t, typed)] = typed
		} else {
			works[commandOf(t, typed)] = typed
		}
	}
	var all []form
	tree := newTree()
	for _, cmd := range commands(tree) {
		name := nameOf(cmd)
		f := form{name: name, works: works[name], fails: fails[name], groupOfCommands: cmd.HasSubCommands()}
		if f.works == "" && !f.groupOfCommands {
			t.Errorf("%s: add a line `setops … %s …` that works, and run this test with -update", file, name)
		}
		if f.fails == "" {
			t.Errorf("%s: add a line `! setops … %s …` that fails, and run this test with -update", file, name)
		}
		delete(works, name)
		delete(fails, name)
		all = append(all, f)
	}
	for name := range works {
		t.Errorf("%s: there is no command %q", file, name)
	}
	return all
}

func newTree() *cobra.Command {
	tree := root.New(kit.New(kit.Streams{Out: io.Discard, Err: io.Discard}, func(string) string { return "" }, "test"))
	tree.InitDefaultHelpCmd() // cobra does so when it runs one
	return tree
}

// commands are those that can be typed: neither setops alone nor topics of help.
func commands(cmd *cobra.Command) []*cobra.Command {
	var all []*cobra.Command
	for _, sub := range cmd.Commands() {
		if sub.Runnable() && !strings.HasPrefix(sub.Name(), "__complete") {
			all = append(all, sub)
		}
		all = append(all, commands(sub)...)
	}
	return all
}

func nameOf(cmd *cobra.Command) string { return strings.TrimPrefix(cmd.CommandPath(), "setops ") }

// commandOf names the command that a line runs.
func commandOf(t *testing.T, line string) string {
	t.Helper()
	args, err := shlex.Split(line)
	if err != nil {
		t.Fatal(err)
	}
	cmd, _, err := root.Find(newTree(), args[1:])
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return nameOf(cmd)
}

// play runs a command in all its forms, each in a session of its own.
func (f form) play(t *testing.T) string {
	var b strings.Builder
	if f.works != "" {
		table := f.run(t, f.works)
		f.record(&b, f.works, table)
		f.playPlain(t, &b, table)
		f.playJSON(t, &b, table)
		if quiet := f.run(t, strings.Replace(f.works, "setops", "setops -q", 1)); quiet.stdout != table.stdout || quiet.stderr != "" {
			t.Errorf("with -q it prints %q, without %q, and on standard error %q", quiet.stdout, table.stdout, quiet.stderr)
		}
	}
	if f.fails == "" {
		return b.String()
	}
	failed := f.run(t, f.fails)
	if failed.code == 0 {
		t.Errorf("this line shall fail: %s", f.fails)
	}
	f.record(&b, f.fails, failed)
	failed = f.run(t, withOutput(f.fails, "json"))
	f.record(&b, withOutput(f.fails, "json"), failed)
	wantProblem(t, failed)
	return b.String()
}

func (f form) playPlain(t *testing.T, b *strings.Builder, table result) {
	line := withOutput(f.works, "plain")
	plain := f.run(t, line)
	if plain == table {
		fmt.Fprintf(b, "$ %s\n(the same)\n\n", line)
		return
	}
	f.record(b, line, plain)
}

func (f form) playJSON(t *testing.T, b *strings.Builder, table result) {
	line := withOutput(f.works, "json")
	json := f.run(t, line)
	if texts[f.name] != "" {
		if json != table {
			t.Errorf("%s is %s, and not the same with -o json", f.name, texts[f.name])
		}
		return
	}
	f.record(b, line, json)
	wantSchema(t, f.name, json.stdout)
}

func (f form) run(t *testing.T, line string) result {
	s := newSession(t)
	s.stdin = "demo\nada@example.com\ncorrect horse \n"
	s.stored()
	r := s.typed(line)
	hide := strings.NewReplacer(client.Origin(s.server.URL)[len("http://"):], "SERVER", s.home(), "HOME")
	r.stdout, r.stderr = hide.Replace(r.stdout), hide.Replace(r.stderr)
	return r
}

// stored writes the session that login would have stored.
func (s *session) stored() {
	text := fmt.Sprintf("url: %s\norganization: demo\nemail: ada@example.com\ntoken: %s\nissuer: %s\nexpires_at: 2026-10-23T20:46:29Z\n",
		s.server.URL, token, client.Origin(s.server.URL))
	if err := os.WriteFile(filepath.Join(s.home(), ".setops.yml"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (f form) record(b *strings.Builder, line string, r result) {
	if texts[f.name] != "" && r.code == 0 && len(r.stdout) > 3000 {
		r.stdout = r.stdout[:strings.Index(r.stdout, "\n")+1] + "(and so on)\n"
	}
	fmt.Fprintf(b, "$ %s\n%s", line, screen(r))
}

// withOutput asks a line for an output, unless it says by itself which one it wants.
func withOutput(line, output string) string {
	if strings.Contains(line, " -o ") {
		return line
	}
	return strings.Replace(line, "setops", "setops -o "+output, 1)
}

// compareWithFile compares with a golden file, or writes it with -update.
func compareWithFile(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: -update writes it", err)
	}
	compareLines(t, got, string(want))
}

// otherThanOne are the commands that do not send one request, with the reason.
var otherThanOne = map[string]struct {
	requests int
	why      string
}{
	"changeset:attach": {2, "the list of commits says which one it is, and the events of a commit are a stream"},
	"changeset:cancel": {3, "the list of commits says which one it is, it is cancelled, and the stream says when it has ended"},
	"changeset:commit": {2, "the events of a commit are a stream"},
	"changeset:wait":   {2, "the list of commits says which ones there are, and the events of each are a stream"},
	"stage:apply":      {2, "it is staged and committed in one, and the events of a commit are a stream"},
	"release:deploy":   {2, "the events of a commit are a stream"},
	"task:run":         {2, "the log of a task is a stream"},

	"version":        {0, "it is about the program"},
	"docs":           {0, "the manual is in the program"},
	"docker":         {0, "the session is in a file"},
	"registry:login": {0, "the session is in a file"},
}

// TestNoCommandAsksTheServerMoreOftenThanItMust counts the requests of each command.
func TestNoCommandAsksTheServerMoreOftenThanItMust(t *testing.T) {
	named := map[string]bool{}
	for _, f := range forms(t) {
		if f.works == "" {
			continue
		}
		allowed, why := 1, "one is enough"
		if other, found := otherThanOne[f.name]; found {
			named[f.name] = true
			allowed, why = other.requests, other.why
		} else if texts[f.name] != "" {
			allowed, why = 0, "it prints "+texts[f.name]
		}
		for _, form := range []string{"table", "json"} {
			if sent := requestsOf(t, f.works, form); len(sent) != allowed {
				t.Errorf("%s -o %s sends %d requests, not %d (%s): %v; mend it, or name it with a reason in otherThanOne",
					f.name, form, len(sent), allowed, why, lines(sent))
			}
		}
	}
	for name := range otherThanOne {
		if !named[name] {
			t.Errorf("otherThanOne names %q, which is no command", name)
		}
	}
}

func lines(requests []request) []string {
	var all []string
	for _, r := range requests {
		all = append(all, r.line)
	}
	return slices.Clip(all)
}

// requestsOf runs a line that works in a session of its own, and gives what the server was asked.
func requestsOf(t *testing.T, line, output string) []request {
	t.Helper()
	s := newSession(t)
	s.stdin = "demo\nada@example.com\ncorrect horse \n"
	s.stored()
	s.typed(withOutput(line, output))
	return s.server.sent()
}
