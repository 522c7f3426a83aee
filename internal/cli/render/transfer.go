package render

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Transfer shows how much of something was sent: a bar on a terminal, else a line at each quarter but the last, once each: what
// follows says that it is done. NewTransfer makes one.
type Transfer struct {
	view    view
	text    string // as "Pushing"
	total   int64
	quarter int64 // shown last
}

var sending = phase{name: "sending", frame: "◥"}

// NewTransfer shows a transfer on w.
func NewTransfer(w io.Writer, animated bool, text string) *Transfer {
	t := &Transfer{view: lines{w}, text: text}
	if f, ok := w.(*os.File); ok && animated {
		t.view = &spinning{out: f}
	}
	t.view.wait(sending, text+"…")
	return t
}

// Update shows that done bytes of total are there.
func (t *Transfer) Update(done, total int64) {
	if total <= 0 {
		return
	}
	done, t.total = min(done, total), total
	t.view.wait(sending, fmt.Sprintf("%s %s %s / %s", t.text, bar(done, total), Bytes(done), Bytes(total)))
	for t.quarter < min(3, 4*done/total) {
		t.quarter++
		if _, plain := t.view.(lines); plain {
			t.view.change(sending, fmt.Sprintf("%s… %d %% of %s", t.text, 25*t.quarter, Bytes(total)))
		}
	}
}

// Done is Update with all that there is: bytes that were not counted, as those of a manifest, are there too.
func (t *Transfer) Done() { t.Update(t.total, t.total) }

// End leaves what was shown on the screen and gives the line free.
func (t *Transfer) End() { t.view.end() }

// barWidth is that of a bar, in cells.
const barWidth = 24

func bar(done, total int64) string {
	full := int(barWidth * done / total)
	return strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
}

// Bytes writes a size for people: 345 B, 12.3 kB, 4.5 MB.
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, units := float64(n)/1000, []string{"kB", "MB", "GB"}
	for value >= 999.95 && len(units) > 1 {
		value, units = value/1000, units[1:]
	}
	return fmt.Sprintf("%.1f %s", value, units[0])
}
