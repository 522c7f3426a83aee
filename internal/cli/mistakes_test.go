package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryMistakeIsExplained runs the lines of a golden file that are all wrong: in a flag, an argument, a name or a value. Each says what is wrong, and says the
// same as JSON.
func TestEveryMistakeIsExplained(t *testing.T) {
	file, err := filepath.Abs("testdata/mistakes.txt") // sessions are elsewhere
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		line, typed := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		if !typed {
			continue
		}
		r := form{}.run(t, line)
		if r.code == 0 || r.stderr == "" {
			t.Errorf("%s: ends with %d and says %q", line, r.code, r.stderr)
		}
		fmt.Fprintf(&b, "$ %s\n%s", line, screen(r))
		if asked := withOutput(line, "json"); asked != line { // one that is wrong about -o cannot have its error as JSON
			wantProblem(t, form{}.run(t, asked))
		}
	}
	compareWithFile(t, file, b.String())
}

func TestAWrongAddressIsNoReasonToSignInThere(t *testing.T) {
	s := newSession(t)
	s.stored()
	s.set("SETOPS_URL", "ftp://example.com")
	s.run("project").want(t, 1, `"ftp://example.com" is no address of a server`, "http://HOST:PORT")
}
