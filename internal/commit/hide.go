package commit

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// hider puts the names of variables where an app has told their values: what is quoted of an app goes into the database and
// onto screens, and neither is a place for a password.
type hider struct{ keys, values []string }

// shortestHidden keeps words as "true" or "5000", which are everywhere, from being taken for secrets.
const shortestHidden = 8

func hiderOf(env map[string]string) hider {
	var h hider
	// The longest first: one value may be part of another, as a password is of a URL.
	longest := func(a, b string) int { return cmp.Or(len(env[b])-len(env[a]), strings.Compare(a, b)) }
	for _, key := range slices.SortedFunc(maps.Keys(env), longest) {
		if len(env[key]) >= shortestHidden {
			h.keys, h.values = append(h.keys, key), append(h.values, env[key])
		}
	}
	return h
}

// text hides values in one text; where it was cut within a value, what is left of that too.
func (h hider) text(text string) string {
	for i, value := range h.values {
		text = strings.ReplaceAll(text, value, h.name(i))
	}
	whole := strings.TrimSuffix(text, "…")
	for i, value := range h.values {
		for n := len(value) - 1; n >= shortestHidden; n-- {
			if before, cut := strings.CutSuffix(whole, value[:n]); cut {
				return before + h.name(i)
			}
		}
	}
	return text
}

func (h hider) name(i int) string { return "${" + h.keys[i] + "}" }

func (h hider) lines(lines []string) []string {
	hidden := make([]string, len(lines))
	for i, line := range lines {
		hidden[i] = h.text(line)
	}
	return hidden
}

// failure gives the cause and the last answer of an app's failure without values.
func (h hider) failure(e *engine.GateError) (cause string, last setops.LastAnswer) {
	cause, last = e.Cause, e.Last
	for _, quoted := range []*string{&last.Body, &last.Output, &last.ConnectError, &last.Request} {
		hidden := h.text(*quoted)
		if *quoted != "" && hidden != *quoted { // the cause quotes it
			cause = strings.ReplaceAll(cause, *quoted, hidden)
		}
		*quoted = hidden
	}
	return h.text(cause), last
}
