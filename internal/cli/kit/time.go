package kit

import (
	"fmt"
	"strings"
	"time"
)

// layouts are RFC 3339 cut after each of its parts. Fractions of a second are read without being named.
var layouts = []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02T15", "2006-01-02", "2006-01", "2006"}

// ParseTime reads a moment that may be cut anywhere down to the year, with or without an offset. What is missing is the
// beginning of the year, month, day, hour or minute.
func ParseTime(flag, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	cut := strings.TrimRight(strings.ToUpper(value), "T-:.") // an offset's sign or a separator may have been left
	for _, layout := range layouts {
		for _, offset := range []string{"", "Z07:00"} {
			if t, err := time.Parse(layout+offset, cut); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, &Usage{
		Message: fmt.Sprintf("--%s does not understand %q.", flag, value),
		Next:    "Write a time like 2026-03-17T09:58:34Z, or the beginning of it.",
	}
}
