package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// None stands where there is no value.
const None = "-"

// Time prints a moment in UTC, to the second.
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// OptionalTime prints a moment, or None.
func OptionalTime(t *time.Time) string {
	if t == nil || t.IsZero() {
		return None
	}
	return Time(*t)
}

// Number prints n, or None where it is 0.
func Number(n int) string {
	if n == 0 {
		return None
	}
	return strconv.Itoa(n)
}

// Text prints s, or None where it is empty.
func Text(s string) string {
	if s == "" {
		return None
	}
	return s
}

// Words prints an argument vector between brackets.
func Words(words []string) string { return "[" + strings.Join(words, " ") + "]" }

// MapLines prints a map as `map[key:value key:value]`, sorted by key, one pair a line.
func MapLines(m map[string]any) string {
	lines := slices.Sorted(maps.Keys(m))
	for i, key := range lines {
		lines[i] = OneLine(fmt.Sprintf("%s:%v", key, m[key]))
	}
	return "map[" + strings.Join(lines, "\n") + "]"
}

// OneLine writes control characters out, so that a value can neither break a layout nor steer a terminal.
func OneLine(s string) string {
	if !strings.ContainsFunc(s, unicode.IsControl) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsControl(r) {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
