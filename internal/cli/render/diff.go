package render

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/setopsco/setops/pkg/api"
)

// Diff prints what differs between two states of a stage, app by app: a heading, a line for each value, and what is lost.
func Diff(w io.Writer, d api.Diff, paint Paint) error {
	if len(d.Apps)+len(d.Stage) == 0 {
		if _, err := fmt.Fprintln(w, "No values change."); err != nil {
			return err
		}
	}
	if len(d.Stage) > 0 {
		if err := writeDiff(w, "The stage: changed", d.Stage, nil, paint); err != nil {
			return err
		}
	}
	for i, app := range d.Apps {
		if i > 0 || len(d.Stage) > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := appDiff(w, app, paint); err != nil {
			return err
		}
	}
	return gates(w, d.Gates)
}

// gates says what runs first, and decides.
func gates(w io.Writer, all []api.TaskGate) error {
	for _, g := range all {
		_, err := fmt.Fprintf(w, "\nBefore any new task starts: %s on release %d of %s, which must exit with 0\n",
			OneLine(Words(g.Command)), g.Release, OneLine(g.App))
		if err != nil {
			return err
		}
	}
	return nil
}

func appDiff(w io.Writer, a api.AppDiff, paint Paint) error {
	return writeDiff(w, appHeading(a), a.Values, a.Lost, paint)
}

func writeDiff(w io.Writer, heading string, values []api.ValueChange, losses []string, paint Paint) error {
	lines := []string{paint.Bold(heading)}
	fields := 0
	for _, v := range values {
		fields = max(fields, utf8.RuneCountInString(OneLine(v.Field)))
	}
	for _, v := range values {
		lines = append(lines, indent+valueChange(v, fields, paint))
	}
	for _, lost := range losses {
		lines = append(lines, indent+lostForGood(lost, paint))
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// appHeading is `App web: changed, restarts (release 2 → 3)`.
func appHeading(a api.AppDiff) string {
	heading := fmt.Sprintf("App %s: %s", OneLine(a.Name), a.Change)
	if restarts(a) {
		heading += fmt.Sprintf(", restarts (%s)", OneLine(a.Restarts))
	}
	return heading
}

// restarts says whether tasks that serve are replaced; those of an app that is created are its first.
func restarts(a api.AppDiff) bool { return a.Restarts != "" && a.Change == "changed" }

// valueChange is a line with a mark, the field and what becomes of its value.
func valueChange(v api.ValueChange, width int, paint Paint) string {
	field := pad(OneLine(v.Field), width) + indent
	switch {
	case v.Old == nil:
		return paint.Green("+ " + field + shown(v, v.New))
	case v.New == nil:
		return paint.Red("- " + field + shown(v, v.Old))
	case v.Hidden:
		return paint.Yellow("~ " + field + shown(v, v.New))
	}
	return paint.Yellow("~ " + field + shown(v, v.Old) + " → " + shown(v, v.New))
}

// shown is a value on one line; what is empty is seen to be.
func shown(v api.ValueChange, value *string) string {
	switch {
	case v.Secret:
		return secret
	case v.Hidden:
		return "(hidden)"
	case value == nil:
		return None
	case strings.TrimSpace(*value) == "":
		return `"` + OneLine(*value) + `"`
	}
	return OneLine(*value)
}

func lostForGood(what string, paint Paint) string {
	return paint.Red("🔴 lost for good: " + OneLine(what))
}
