package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/shlex"
)

// TestOldScriptsStillSendWhatTheyMean runs every line of testdata/invocations.txt, which are lines of users' scripts, and
// compares the requests that they cause with testdata/requests.txt.
func TestOldScriptsStillSendWhatTheyMean(t *testing.T) {
	lines, err := os.ReadFile("testdata/invocations.txt")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := filepath.Abs("testdata/requests.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t)
	s.set("SETOPS_PROJECT", "shop") // some scripts rely on it
	s.stdin = "demo\nada@example.com\ncorrect horse \n"
	var sent strings.Builder
	for line := range strings.Lines(string(lines)) {
		sent.WriteString(line + s.requestsOf(line))
	}
	if *update {
		if err := os.WriteFile(golden, []byte(sent.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	compareLines(t, sent.String(), string(want))
}

func (s *session) requestsOf(line string) string {
	args, err := shlex.Split(strings.TrimSpace(line))
	if err != nil {
		s.t.Fatal(err)
	}
	before := len(s.server.sent())
	r := s.run(args[1:]...)
	if unforced := strings.Contains(line, ":destroy") && !strings.Contains(line, "--force"); r.code != 0 && !unforced {
		s.t.Errorf("%s: exit code %d: %s", line, r.code, r.stderr)
	}
	var b strings.Builder
	for _, request := range s.server.sent()[before:] {
		fmt.Fprintf(&b, "   %s %s\n", request.line, request.body)
	}
	return b.String()
}

// compareLines points at the first line that differs.
func compareLines(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Fatalf("line %d is\n%s\nand was\n%s\nLook whether that is meant; -update writes it anew.", i+1, a, b)
		}
	}
}
