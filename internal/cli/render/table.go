package render

import (
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// Table prints a bordered table: headers in upper case and centred, columns of numbers to the right. Cells may hold
// several lines. Without rows it is the header only.
func Table(w io.Writer, header []string, rows [][]string) error {
	t := tablewriter.NewTable(w,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{Symbols: tw.NewSymbols(tw.StyleASCII)})),
		tablewriter.WithHeaderAlignment(tw.AlignCenter),
		tablewriter.WithHeaderAutoFormat(tw.Off), // it would also rewrite underscores and dots
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{Global: tw.AlignLeft, PerColumn: alignments(len(header), rows)}),
		tablewriter.WithRowAutoWrap(tw.WrapNone), // cells bring their own line breaks
	)
	upper := make([]string, len(header))
	for i, h := range header {
		upper[i] = strings.ToUpper(h)
	}
	t.Header(upper)
	if err := t.Bulk(rows); err != nil {
		return err
	}
	return t.Render()
}

func alignments(columns int, rows [][]string) []tw.Align {
	align := make([]tw.Align, columns)
	for column := range align {
		align[column] = tw.AlignLeft
		if isNumeric(column, rows) {
			align[column] = tw.AlignRight
		}
	}
	return align
}

func isNumeric(column int, rows [][]string) bool {
	for _, row := range rows {
		if _, err := strconv.ParseFloat(row[column], 64); err != nil {
			return false
		}
	}
	return len(rows) > 0
}

// wrap breaks text between words, so that no line of a cell is longer than width if it can be helped.
func wrap(text string, width int) string {
	var b strings.Builder
	length := 0
	for word := range strings.FieldsSeq(OneLine(text)) {
		n := utf8.RuneCountInString(word)
		switch {
		case length == 0:
		case length+1+n > width:
			b.WriteString("\n")
			length = 0
		default:
			b.WriteString(" ")
			length++
		}
		b.WriteString(word)
		length += n
	}
	return b.String()
}

// Columns prints a table without borders, indented, its columns three blanks apart.
func Columns(w io.Writer, header []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 8, len(indent), ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		if _, err := io.WriteString(t, "\t"+strings.Join(row, "\t")+"\n"); err != nil {
			return err
		}
	}
	return t.Flush()
}
