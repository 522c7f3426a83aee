// Package render turns values into what a terminal or a script reads: tables, blocks of keys and values, JSON and the
// progress of a commit. It is the only package that knows tablewriter and spinner; it asks no server and decides nothing.
//
// The shapes are an interface that scripts rely on: change nothing here without a golden test that says so. Start with
// Block and Table.
package render

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// indent is the step of nested blocks, and the gap between a label and its value.
const indent = "   "

// Block is a list of `Label:   value` lines. Values start three blanks after the longest label of their block; labels of
// nested blocks have no value and do not count.
type Block struct{ entries []entry }

type entry struct {
	label, value string
	nested       *Block
}

// Add appends a line.
func (b *Block) Add(label string, value any) *Block {
	b.entries = append(b.entries, entry{label: label, value: fmt.Sprint(value)})
	return b
}

// Nest appends a label with lines of its own below it.
func (b *Block) Nest(label string, nested *Block) *Block {
	b.entries = append(b.entries, entry{label: label, nested: nested})
	return b
}

// Write prints the block.
func (b *Block) Write(w io.Writer) error { return b.write(w, "", "") }

// WriteItems prints the block with every line marked as the item of a list.
func (b *Block) WriteItems(w io.Writer) error { return b.write(w, "", "-- ") }

func (b *Block) write(w io.Writer, margin, mark string) error {
	width := b.width()
	for _, e := range b.entries {
		if e.nested != nil {
			if _, err := fmt.Fprintf(w, "%s%s:\n", margin, e.label); err != nil {
				return err
			}
			if err := e.nested.write(w, margin+indent, mark); err != nil {
				return err
			}
			continue
		}
		line := margin + mark + pad(e.label+":", width) + indent + e.value
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " ")); err != nil {
			return err
		}
	}
	return nil
}

func (b *Block) width() int {
	width := 0
	for _, e := range b.entries {
		if e.nested == nil {
			width = max(width, utf8.RuneCountInString(e.label)+1)
		}
	}
	return width
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
