package render

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestValuesCannotSteerATerminalOrBreakALayout(t *testing.T) {
	for given, want := range map[string]string{
		"plain ünïcode 🔵": "plain ünïcode 🔵",
		"a\nb\tc":         `a\nb\tc`,
		"\x1b[2Jgone":     `\x1b[2Jgone`,
		"it's \"quoted\"": "it's \"quoted\"",
	} {
		if got := OneLine(given); got != want {
			t.Errorf("%q is shown as %q, want %q", given, got, want)
		}
	}
}

func TestArgumentsAreSortedOneALine(t *testing.T) {
	got := MapLines(map[string]any{"release_id": json.Number("30000000"), "name": "web", "public": true, "command": []any{"a", "b c"}})
	if want := "map[command:[a b c]\nname:web\npublic:true\nrelease_id:30000000]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNumbersStandRightAndTextLeft(t *testing.T) {
	var out strings.Builder
	if err := Table(&out, []string{"ID", "last status"}, [][]string{{"9", "10"}, {"10", "x"}}); err != nil {
		t.Fatal(err)
	}
	want := "+----+-------------+\n| ID | LAST STATUS |\n+----+-------------+\n|  9 | 10          |\n| 10 | x           |\n+----+-------------+\n"
	if out.String() != want {
		t.Errorf("\n%swant\n%s", out.String(), want)
	}
}
