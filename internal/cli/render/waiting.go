package render

import (
	"io"
	"os"
)

// Waiting shows what is waited for until end is called: by a spinner where w is a terminal that can show it, else by a line.
// The line stays.
func Waiting(w io.Writer, animated bool, text string) (end func()) {
	var v view = lines{w}
	if f, ok := w.(*os.File); ok && animated {
		v = &spinning{out: f}
	}
	v.change(phase{name: "waiting", frame: frames[0]}, text)
	return v.end
}
