package commit

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// hider puts the names of variables where an app has told their values: what is quoted of an app goes into the database and
// onto screens, and neither is a place for a password.
type hider struct{ keys, values []string }

// shortestHidden keeps words as "true" or "5000", which are everywhere, from being taken for secrets; shortestSecret is for what was
// said to be one.
const (
	shortestHidden = 8
	shortestSecret = 4
)

// hiderOf hides each line of a value too, as a log has a private key: by lines; and as programs write it that quote or encode it. What
// is secret among the variables, app says.
func hiderOf(env map[string]string, app *setops.App) hider {
	type secret struct{ key, value string }
	var all []secret
	for key, value := range env {
		shortest := shortestHidden
		if app != nil && app.Env[key].Secret {
			shortest = shortestSecret
		}
		for _, part := range append(strings.Split(value, "\n"), value) {
			if part = strings.TrimSpace(part); len(part) < shortest {
				continue
			}
			for _, written := range writtenAs(part) {
				all = append(all, secret{key, written})
			}
		}
	}
	// The longest first: one value may be part of another, as a password is of a URL.
	slices.SortFunc(all, func(a, b secret) int {
		return cmp.Or(len(b.value)-len(a.value), strings.Compare(a.key, b.key), strings.Compare(a.value, b.value))
	})
	var h hider
	for _, s := range slices.Compact(all) {
		h.keys, h.values = append(h.keys, s.key), append(h.values, s.value)
	}
	return h
}

// writtenAs gives the ways in which a value may be quoted; as it is among them.
func writtenAs(value string) []string {
	quoted := strconv.Quote(value)
	return []string{
		value, quoted[1 : len(quoted)-1], url.QueryEscape(value), url.PathEscape(value), hex.EncodeToString([]byte(value)),
		base64.StdEncoding.EncodeToString([]byte(value)), base64.URLEncoding.EncodeToString([]byte(value)),
	}
}

// text hides values in one text; where it was cut within a value, what is left of that too.
func (h hider) text(text string) string {
	for i, value := range h.values {
		text = strings.ReplaceAll(text, value, h.name(i))
	}
	whole := strings.TrimSuffix(text, "…")
	for i, value := range h.values {
		for n := min(len(value)-1, len(whole)); n >= shortestHidden; n-- {
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
