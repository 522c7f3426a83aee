package guide

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

const anything = "[...]"

// values finds what differs from one run to the next. Digests come first: a task id would match in one.
var values = regexp.MustCompile(`sha256:[0-9a-f]{64}\b|\b[0-9a-f]{32}\b|\b\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ| \d\d:\d\d:\d\d\b)`)

// kinds are the forms of values. Ones that are kept mean the same thing wherever they are.
var kinds = []struct {
	form *regexp.Regexp
	any  string
	kept bool
}{
	{regexp.MustCompile(`^sha256:`), `sha256:[0-9a-f]{64}`, true},
	{regexp.MustCompile(`^[0-9a-f]{32}$`), `[0-9a-f]{32}`, true},
	{regexp.MustCompile(`T`), `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, false},
	{regexp.MustCompile(` `), `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, false},
}

// memory knows which real value stands for a value of the guide.
type memory map[string]string

// fill puts real values into commands. A value that never came out is left as it is.
func (m memory) fill(command string) string {
	return values.ReplaceAllStringFunc(command, func(v string) string {
		if real, ok := m[v]; ok {
			return real
		}
		return v
	})
}

// match compares what came out with what the guide says, and remembers the values it meets.
func (m memory) match(want, got string) error {
	want, got = strings.TrimRight(want, "\n"), strings.TrimRight(got, "\n")
	pattern, names := m.pattern(want)
	found := pattern.FindStringSubmatch(got + "\n")
	if found == nil {
		return fmt.Errorf("something else came out:\n%s", diff.Diff("guide", []byte(m.fill(want)+"\n"), "reality", []byte(got+"\n")))
	}
	fresh := memory{}
	for i, name := range names {
		real := found[i+1]
		if before, ok := fresh[name]; ok && before != real {
			return fmt.Errorf("%s stands for %s and for %s", name, before, real)
		}
		fresh[name] = real
	}
	return m.learn(fresh)
}

// learn keeps two values of the guide from standing for the same thing.
func (m memory) learn(fresh memory) error {
	var all []error
	for name, real := range fresh {
		for other, taken := range m {
			if taken == real && other != name {
				all = append(all, fmt.Errorf("%s and %s both stand for %s", other, name, real))
			}
		}
		m[name] = real
	}
	return errors.Join(all...)
}

// pattern gives an expression for what the guide says, and the values of the guide that its groups stand for.
func (m memory) pattern(want string) (*regexp.Regexp, []string) {
	var b strings.Builder
	var names []string
	b.WriteString(`\A`)
	for line := range strings.SplitSeq(want, "\n") {
		if line == anything {
			b.WriteString(`(?:.*\n)*?`)
			continue
		}
		names = append(names, m.linePattern(&b, line)...)
		b.WriteString(`\n`)
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String()), names
}

func (m memory) linePattern(b *strings.Builder, line string) (names []string) {
	literal := func(text string) {
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(text), regexp.QuoteMeta(anything), `.*?`))
	}
	at := 0
	for _, span := range values.FindAllStringIndex(line, -1) {
		literal(line[at:span[0]])
		at = span[1]
		value := line[span[0]:span[1]]
		if real, ok := m[value]; ok {
			literal(real)
			continue
		}
		any, kept := kindOf(value)
		if !kept {
			b.WriteString(any)
			continue
		}
		b.WriteString("(" + any + ")")
		names = append(names, value)
	}
	literal(line[at:])
	return names
}

func kindOf(value string) (any string, kept bool) {
	for _, k := range kinds {
		if k.form.MatchString(value) {
			return k.any, k.kept
		}
	}
	panic("a value without a kind: " + value)
}
