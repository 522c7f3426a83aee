package probe

import (
	"fmt"
	"strings"
)

const (
	lowestCode  = 100
	highestCode = 599
)

// Status is a set of accepted HTTP status codes, made by ParseStatus. The zero Status accepts none.
type Status struct {
	ranges []codeRange
}

// codeRange holds both ends; a single code has the same code twice.
type codeRange struct {
	low, high int
}

// ParseStatus reads codes and ranges separated by commas: "200", "200,204", "200-499", "200-299,301". Each code
// is from 100 to 599, a range goes upwards, and there is no white space.
func ParseStatus(s string) (Status, error) {
	if strings.ContainsAny(s, " \t\r\n\v\f") {
		return Status{}, refuse(s, "it contains white space")
	}
	var status Status
	for part := range strings.SplitSeq(s, ",") {
		r, reason := parseRange(part)
		if reason != "" {
			return Status{}, refuse(s, reason)
		}
		status.ranges = append(status.ranges, r)
	}
	return status, nil
}

// Accepts reports whether code is one of the set.
func (s Status) Accepts(code int) bool {
	for _, r := range s.ranges {
		if r.low <= code && code <= r.high {
			return true
		}
	}
	return false
}

// String gives the set in the form that ParseStatus reads.
func (s Status) String() string {
	parts := make([]string, 0, len(s.ranges))
	for _, r := range s.ranges {
		if r.low == r.high {
			parts = append(parts, fmt.Sprint(r.low))
			continue
		}
		parts = append(parts, fmt.Sprintf("%d-%d", r.low, r.high))
	}
	return strings.Join(parts, ",")
}

// parseRange gives a reason instead of an error, because only the caller knows the whole text to quote.
func parseRange(part string) (r codeRange, reason string) {
	low, high, isRange := strings.Cut(part, "-")
	if !isRange {
		high = low
	}
	r = codeRange{low: parseCode(low), high: parseCode(high)}
	switch {
	case part == "":
		return r, "a code is missing"
	case r.low == 0:
		return r, fmt.Sprintf("%q is no status code", low)
	case r.high == 0:
		return r, fmt.Sprintf("%q is no status code", high)
	case r.low > r.high:
		return r, fmt.Sprintf("the range %s runs backwards", part)
	}
	return r, ""
}

// parseCode returns 0 for all that is not three plain digits within the limits. strconv would take "+200".
func parseCode(s string) int {
	if len(s) != 3 {
		return 0
	}
	code := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0
		}
		code = code*10 + int(c-'0')
	}
	if code < lowestCode || code > highestCode {
		return 0
	}
	return code
}

func refuse(s, reason string) error {
	return fmt.Errorf("accepted status %q is refused because %s: give codes from %d to %d, alone or as ranges, separated by commas, such as 200 or 200-299,301",
		s, reason, lowestCode, highestCode)
}
