package definition

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// segment is what in a value is not meant as it stands: a reference to a secret, or a quoted text, by which a value can hold
// what looks like one of both.
var segment = regexp.MustCompile(`\{\{\s*(?:\.Secrets\.([A-Za-z_][A-Za-z0-9_]*)|("(?:[^"\\\n]|\\.)*"))\s*\}\}`)

// reference writes a reference to a secret.
func reference(name string) string { return "{{ .Secrets." + name + " }}" }

// quote writes a value so that expand gives it back.
func quote(value string) string {
	return segment.ReplaceAllStringFunc(value, func(s string) string { return "{{ " + strconv.Quote(s) + " }}" })
}

// text is a value of env as a definition has it.
type text struct {
	value   string
	secret  bool     // it refers to some
	unknown []string // those that nobody says
	whole   bool     // it is a reference and nothing besides
}

var errQuotes = errors.New(`what is between {{ " and " }} is no text with correct escapes`)

// expand puts in what a value refers to.
func expand(value string, secrets map[string]string) (t text, err error) {
	var b strings.Builder
	end := 0
	for _, m := range segment.FindAllStringSubmatchIndex(value, -1) {
		b.WriteString(value[end:m[0]])
		end = m[1]
		if m[2] < 0 {
			plain, err := strconv.Unquote(value[m[4]:m[5]])
			if err != nil {
				return t, errQuotes
			}
			b.WriteString(plain)
			continue
		}
		name := value[m[2]:m[3]]
		t.secret = true
		if m[0] == 0 && m[1] == len(value) {
			t.whole = true
		}
		known, there := secrets[name]
		if !there {
			t.unknown = append(t.unknown, name)
		}
		b.WriteString(known)
	}
	b.WriteString(value[end:])
	t.value = b.String()
	return t, nil
}
