package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/setopsco/setops/pkg/api"
)

// causeWidth keeps the table of a plan on a usual terminal.
const causeWidth = 40

// Plan prints the steps of a plan in order, then what restarts, what is lost, and the hash.
func Plan(w io.Writer, p api.Plan, paint Paint) error {
	if len(p.Steps) == 0 {
		if _, err := fmt.Fprintln(w, "Nothing to do."); err != nil {
			return err
		}
	} else if err := planSteps(w, p.Steps); err != nil {
		return err
	}
	for _, part := range []string{restartLines(p.Diff), lostLines(p.Diff, paint)} {
		if _, err := io.WriteString(w, part); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	return new(Block).Add("Plan", p.Hash).Write(w)
}

func planSteps(w io.Writer, steps []api.PlanStep) error {
	var before, behind [][]string
	for i, s := range steps {
		row := []string{strconv.Itoa(i + 1), OneLine(s.ID), wrap(s.Cause, causeWidth)}
		if s.After {
			behind = append(behind, row)
			continue
		}
		before = append(before, row)
	}
	header := []string{"#", "Step", "Cause"}
	if len(before) > 0 {
		if err := Table(w, header, before); err != nil {
			return err
		}
	}
	if len(behind) == 0 {
		return nil
	}
	lead := ""
	if len(before) > 0 {
		lead = "\n"
	}
	if _, err := fmt.Fprintf(w, "%sBehind the commit point:\n", lead); err != nil {
		return err
	}
	return Table(w, header, behind)
}

// restartLines names the apps whose tasks are replaced, and why.
func restartLines(d api.Diff) string {
	b := new(Block)
	for _, a := range d.Apps {
		if restarts(a) {
			b.Add("App "+OneLine(a.Name), OneLine(a.Restarts))
		}
	}
	if len(b.entries) == 0 {
		return ""
	}
	var out strings.Builder
	out.WriteString("\n")
	_ = new(Block).Nest("Restarts", b).Write(&out) // a builder takes everything
	return out.String()
}

func lostLines(d api.Diff, paint Paint) string {
	var b strings.Builder
	for _, a := range d.Apps {
		for _, lost := range a.Lost {
			b.WriteString(paint.Red(fmt.Sprintf("🔴 App %s: lost for good: %s", OneLine(a.Name), OneLine(lost))) + "\n")
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n" + b.String()
}
