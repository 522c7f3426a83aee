package definition

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/setops"
)

// Place is where in a file something stands; both count from 1, and 0 is nowhere.
type Place struct{ Line, Column int }

// Problem is something in a definition that cannot be.
type Problem struct {
	Place
	Field     string // as apps.web.resources.cpu
	Validator setops.Validator
	Message   string
	Later     bool // it is right, and not supported yet
}

// problemsMax is how many are told; who has more mends those first.
const problemsMax = 20

// Refuse makes one error of all that is wrong with a file. Errors: ValidationFailed, or CodeCurrentlyNotSupported where nothing
// is wrong but something is not supported.
func Refuse(file string, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	problems = slices.Clone(problems)
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	e := &setops.Error{Kind: setops.StateError, Code: setops.CodeCurrentlyNotSupported, Told: true}
	lines := []string{"the definition cannot be used:"}
	for i, p := range problems {
		if !p.Later {
			e.Kind, e.Code = setops.ValidationError, setops.ValidationFailed
		}
		if i < problemsMax {
			lines = append(lines, "   "+p.in(file))
		}
		e.Violations = append(e.Violations, setops.Violation{Field: cmp.Or(p.Field, "definition"), Validator: p.Validator, Message: p.Message})
	}
	if more := len(problems) - problemsMax; more > 0 {
		lines = append(lines, fmt.Sprintf("   and %d more", more))
	}
	e.Message = strings.Join(lines, "\n")
	return e
}

// in is a line such as compilers print.
func (p Problem) in(file string) string {
	var b strings.Builder
	b.WriteString(cmp.Or(file, "definition"))
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if p.Field != "" {
		b.WriteString(": " + p.Field)
	}
	b.WriteString(": " + p.Message)
	return b.String()
}
