package kubernetes

import (
	"testing"
	"time"
)

// Lines that are in the log already are not shipped again, also where several have the same time.
func TestShippingGoesOnBehindTheMark(t *testing.T) {
	at := func(s string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	m := mark{at: at("2026-10-05T17:42:54.000000002Z"), n: 2}
	var got []string
	for _, line := range []string{
		"2026-10-05T17:42:54.000000001Z before\n",
		"2026-10-05T17:42:54.000000002Z first of three\n",
		"2026-10-05T17:42:54.000000002Z second\n",
		"2026-10-05T17:42:54.000000002Z third\n",
		"2026-10-05T17:42:54.000000003Z \n",
		"2026-10-05T17:42:54.000000004Z without an end",
		"no line of a container\n",
	} {
		if stamp, text, ok := parseLine(line); ok && m.misses(stamp, text) {
			got = append(got, text)
		}
	}
	if len(got) != 3 || got[0] != "third" || got[1] != "" || got[2] != "without an end" {
		t.Errorf("got %q", got)
	}
}
