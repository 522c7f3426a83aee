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
// compares the requests that they cause with testdata/requests.txt. A line that is marked must not work yet.
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
		switch mark := strings.Fields(line)[0]; mark {
		case "#":
		case "setops":
			sent.WriteString(line + s.requestsOf(line))
		case "waits", "later":
			s.wantUnknown(line)
		default:
			t.Errorf("testdata/invocations.txt: no line may begin as this one does: %s", line)
		}
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
	before := len(s.server.sent())
	r := s.typed(line)
	if unforced := strings.Contains(line, ":destroy") && !strings.Contains(line, "--force"); r.code != 0 && !unforced {
		s.t.Errorf("%s: exit code %d: %s", line, r.code, r.stderr)
	}
	var b strings.Builder
	for _, request := range s.server.sent()[before:] {
		fmt.Fprintf(&b, "   %s %s\n", request.line, request.body)
	}
	return b.String()
}

// wantUnknown runs a marked line, as in `waits user: setops user:remove ada@example.com`.
func (s *session) wantUnknown(line string) {
	mark, command, found := strings.Cut(line, ": ")
	switch {
	case !found:
		s.t.Errorf("testdata/invocations.txt: a marked line is written as `waits NOUN: setops …`, not as %s", line)
	case s.typed(command).code == 0:
		s.t.Errorf("testdata/invocations.txt: this line works now; take %q away and record with -update what it sends: %s", mark+": ", command)
	}
}

// typed runs a line as a shell would.
func (s *session) typed(line string) result {
	s.t.Helper()
	args, err := shlex.Split(strings.TrimSpace(line))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.run(args[1:]...)
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
