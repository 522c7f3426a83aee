package setops_test

import (
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/setops"
)

func TestAnExcerptIsOneShortLineThatSteersNoTerminal(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"  no\tsuch\r\n page ":              "no such page",
		"\x1b[31mred\x1b[0m \x07bell\u009b": "[31mred[0m bell",
		"bro\xffken":                        "broken",
		"gleich “drüben”":                   "gleich “drüben”",
		strings.Repeat("é", 201):            strings.Repeat("é", 200) + "…",
		strings.Repeat("é", 200):            strings.Repeat("é", 200),
	} {
		if got := setops.Excerpt(text); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	}
}
