package render

import (
	"testing"
	"time"
)

func TestLongTextIsWrappedBetweenWords(t *testing.T) {
	for given, want := range map[string]string{
		"":                   "",
		"one two three":      "one two\nthree",
		"  one   two ":       "one two",
		"wordlongerthanthat": "wordlongerthanthat",
		"a wordlongerthan b": "a\nwordlongerthan\nb",
		"äöü äöü äöü":        "äöü äöü\näöü",
		"a\x1b[31m":          `a\x1b[31m`,
	} {
		if got := wrap(given, 8); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}

func TestMessagesAreCutToTheirFirstLine(t *testing.T) {
	long := "0123456789012345678901234567890123456789 0123456789012345678901234567890123456789 x"
	for given, want := range map[string]string{
		"":               "",
		"Prices":         "Prices",
		"Prices\n":       "Prices",
		"Prices\n\nmore": "Prices…",
		long:             long[:72] + "…",
	} {
		if got := firstLine(given); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}

func TestDurationsAreAsPreciseAsPeopleWant(t *testing.T) {
	from := time.Date(2026, 3, 17, 9, 58, 34, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "0s", 1234 * time.Microsecond: "1ms", 1260 * time.Millisecond: "1.3s", 72460 * time.Millisecond: "1m12.5s",
	} {
		to := from.Add(d)
		if got := took(&from, &to); got != want {
			t.Errorf("%s is shown as %s, want %s", d, got, want)
		}
	}
	if took(&from, nil) != None || took(nil, nil) != None {
		t.Error("a step without an end took a time")
	}
}
