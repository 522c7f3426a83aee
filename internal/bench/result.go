//go:build linux

package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// row is one line of the result. A row without a goal is there to be read, not judged.
type row struct {
	what, ours, peer, ratio string
	goal                    string
	met                     bool
}

// result is what one run has found.
type result struct {
	machine machine
	rows    []row
	notes   []string
	leftOut []string
}

func (r *result) add(rows ...row) { r.rows = append(r.rows, rows...) }

func (r *result) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

func (r *result) leaveOut(m measurement, err error) {
	r.leftOut = append(r.leftOut, fmt.Sprintf("%s (%s): %v", m.name, m.about, err))
}

// complete is an error when something was not measured.
func (r *result) complete() error {
	if len(r.leftOut) == 0 {
		return nil
	}
	return fmt.Errorf("%d of the measurements could not be made", len(r.leftOut))
}

// missed are the rows whose goal was not met.
func (r *result) missed() []row {
	var all []row
	for _, row := range r.rows {
		if row.goal != "" && !row.met {
			all = append(all, row)
		}
	}
	return all
}

var header = []string{"What", "Ours", "Peer", "Ratio", "Goal", "Met"}

func (r row) cells() []string {
	cells := []string{r.what, r.ours, orDash(r.peer), orDash(r.ratio), orDash(r.goal), "-"}
	switch {
	case r.goal != "" && r.met:
		cells[5] = "yes"
	case r.goal != "":
		cells[5] = "NO"
	}
	return cells
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// table is the rows as Markdown that lines up in a terminal too.
func (r *result) table() string {
	lines := [][]string{header}
	for _, row := range r.rows {
		lines = append(lines, row.cells())
	}
	widths := make([]int, len(header))
	for _, cells := range lines {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, cells := range lines {
		for i, cell := range cells {
			fmt.Fprintf(&b, "| %s%s ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)))
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, w := range widths {
				b.WriteString("|" + strings.Repeat("-", w+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

// verdict says plainly what was missed and what was not measured.
func (r *result) verdict() string {
	var b strings.Builder
	for _, row := range r.missed() {
		fmt.Fprintf(&b, "Goal missed: %s: %s, goal %s.\n", row.what, first(row.ratio, row.ours), row.goal)
	}
	for _, s := range r.leftOut {
		fmt.Fprintf(&b, "NOT MEASURED: %s\n", s)
	}
	if b.Len() == 0 {
		return "All goals are met.\n"
	}
	return b.String()
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (r *result) text() string {
	return fmt.Sprintf("%s\n%s\n%s\n%s", r.machine.text(), r.table(), bullets(r.notes), r.verdict())
}

const intro = `# Benchmarks

Written by ` + "`go run ./internal/bench -write`" + `; do not edit. Rounds of both sides take turns on one machine, and medians are
compared: trust the ratios, not the times. A ratio is ours to the peer's, and less is better, unless the line says that
more is.
`

func (r *result) markdown() string {
	return fmt.Sprintf("%s\n## Machine\n\n%s\n## Result\n\n%s\n%s\n## What the figures mean\n\n%s",
		intro, bullets(r.machine.lines()), r.table(), bullets(strings.Split(strings.TrimSuffix(r.verdict(), "\n"), "\n")), bullets(r.notes))
}

func bullets(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString("- " + line + "\n")
	}
	return b.String()
}
