package render_test

import (
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/cli/render"
)

const page = "# Go back\n\nA sentence that is **longer** than one\nline, with `code` and a [link](tls.md#x), and [tls.md](tls.md).\n\n" +
	"<!-- nobody reads it -->\n## To the release\n\n```\nsetops release   # as it is\n\n  indented\n```\n\n- one\n- two, which is long enough to be folded\n  - below\n\n" +
	"1. first\n2. second\n\n| flag | what it is |\n|---|---|\n| `-n` | a number of lines that is folded |\n| `--long` | a \\| b |\n\n| | |\n|---|---|\n| a | b |\n"

func TestAPageOfTheManualIsLaidOutAsText(t *testing.T) {
	const want = `Go back
=======

A sentence that is longer than
one line, with ` + "`code`" + ` and a link
(tls.md), and tls.md.

To the release
--------------

    setops release   # as it is

      indented

- one
- two, which is long enough to
  be folded
  - below

1. first
2. second

flag       what it is
--------   ---------------------
` + "`-n`" + `       a number of lines
           that is folded
` + "`--long`" + `   a | b

a   b
`
	got := render.Manual(page, false, 32)
	if strings.TrimRight(got, "\n") != strings.TrimRight(want, "\n") {
		t.Errorf("it is\n%s\nwant\n%s", got, want)
	}
}

func TestOnATerminalColoursTakeNoRoom(t *testing.T) {
	painted := render.Manual(page, true, 32)
	for _, part := range []string{"\x1b[1mGo back\x1b[0m\n\n", "with \x1b[33mcode\x1b[0m and", "\x1b[1mlonger\x1b[0m"} {
		if !strings.Contains(painted, part) {
			t.Errorf("%q lacks %q", painted, part)
		}
	}
	bare := strings.NewReplacer("\x1b[1m", "", "\x1b[33m", "", "\x1b[0m", "").Replace(painted)
	for line := range strings.Lines(bare) {
		if len([]rune(line)) > 33 {
			t.Errorf("a line of %d columns: %s", len([]rune(line)), line)
		}
	}
}
