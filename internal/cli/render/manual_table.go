package render

import (
	"strings"
)

// columnGap is between the columns of a table in the manual.
const columnGap = 3

// table lays rows out in columns, the widest of which are folded. A header without text is left out.
func (m *manual) table(lines []string, indent string, width int) {
	var rows [][][]word
	headed := false
	for i, line := range lines {
		cells := cellsOf(line)
		text := strings.Join(cells, "")
		if text == "" || i == 1 && strings.Trim(text, "-: ") == "" {
			continue
		}
		row := make([][]word, 0, len(cells))
		for _, cell := range cells {
			row = append(row, m.words(cell))
		}
		if i == 0 {
			headed = true
			m.head(row)
		}
		rows = append(rows, row)
	}
	widths := share(rows, width-columns(indent))
	for i, row := range rows {
		m.row(row, widths, indent)
		if i == 0 && headed && !bool(m.paint) {
			m.rule(widths, indent)
		}
	}
	m.out.WriteString("\n")
}

// cellsOf cuts a row at its bars, but not at those that are written \| or stand in code.
func cellsOf(line string) []string {
	line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "|"), "|")
	var cells []string
	var cell strings.Builder
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line) && line[i+1] == '|':
			cell.WriteByte('|')
			i++
		case line[i] == '|':
			cells = append(cells, strings.TrimSpace(cell.String()))
			cell.Reset()
		default:
			cell.WriteByte(line[i])
		}
	}
	return append(cells, strings.TrimSpace(cell.String()))
}

func (m *manual) head(row [][]word) {
	for _, words := range row {
		for i := range words {
			words[i].show = m.paint.Bold(words[i].text)
		}
	}
}

func (m *manual) row(row [][]word, widths []int, indent string) {
	cells := make([][]filled, len(row))
	height := 1
	for i, words := range row {
		cells[i] = fold(words, widths[i])
		height = max(height, len(cells[i]))
	}
	for n := range height {
		line := indent
		for i, cell := range cells {
			var part filled
			if n < len(cell) {
				part = cell[n]
			}
			line += part.show + strings.Repeat(" ", max(0, widths[i]-part.width)+columnGap)
		}
		m.out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func (m *manual) rule(widths []int, indent string) {
	lines := make([]string, 0, len(widths))
	for _, w := range widths {
		lines = append(lines, strings.Repeat("-", w))
	}
	m.out.WriteString(indent + strings.Join(lines, strings.Repeat(" ", columnGap)) + "\n")
}

// narrowest is as narrow as a column gets; on a terminal that needs more, lines are longer.
const narrowest = 8

// share gives each column what its longest cell needs, and takes from the widest until all fit.
func share(rows [][][]word, width int) []int {
	var widths []int
	for _, row := range rows {
		for i, words := range row {
			if i == len(widths) {
				widths = append(widths, 1)
			}
			widths[i] = max(widths[i], columns(plain(words)))
		}
	}
	room := width - columnGap*(len(widths)-1)
	for {
		total, widest := 0, 0
		for i, w := range widths {
			total += w
			if w > widths[widest] {
				widest = i
			}
		}
		if total <= room || widths[widest] <= narrowest {
			return widths
		}
		widths[widest]--
	}
}
