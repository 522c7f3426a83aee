package kit

import (
	"context"
	"fmt"
	"os"
	"sync"

	"golang.org/x/term"
)

// RawTerminal is the user's terminal while a program elsewhere has it: every key is passed on as it is.
type RawTerminal struct {
	in, out int
	before  *term.State
	restore sync.Once
}

// RawTerminal takes the terminal, if a person sits before both the standard input and the standard output; else ok is false. Who
// takes it must restore it.
func (k *Kit) RawTerminal() (t *RawTerminal, ok bool, err error) {
	if !IsTerminal(k.In) || !IsTerminal(k.Out) {
		return nil, false, nil
	}
	t = &RawTerminal{in: int(k.In.(*os.File).Fd()), out: int(k.Out.(*os.File).Fd())}
	if t.before, err = term.MakeRaw(t.in); err != nil {
		return nil, false, fmt.Errorf("take the terminal: %w", err)
	}
	return t, true, nil
}

// TerminalSize is that of the terminal which RawTerminal would take; ok is false where there is none.
func (k *Kit) TerminalSize() (columns, rows int, ok bool) {
	if !IsTerminal(k.In) || !IsTerminal(k.Out) {
		return 0, 0, false
	}
	columns, rows = (&RawTerminal{out: int(k.Out.(*os.File).Fd())}).Size()
	return columns, rows, true
}

// Restore makes the terminal what it was before.
func (t *RawTerminal) Restore() {
	t.restore.Do(func() { _ = term.Restore(t.in, t.before) })
}

// Size is that of the terminal, 0 where it is not known.
func (t *RawTerminal) Size() (columns, rows int) {
	columns, rows, err := term.GetSize(t.out)
	if err != nil {
		return 0, 0
	}
	return columns, rows
}

// EachSize calls changed with the size of the terminal whenever it has become another, until ctx ends.
func (t *RawTerminal) EachSize(ctx context.Context, changed func(columns, rows int)) {
	last := [2]int{}
	last[0], last[1] = t.Size()
	for range looks(ctx) {
		columns, rows := t.Size()
		if now := [2]int{columns, rows}; now != last && columns > 0 && rows > 0 {
			last = now
			changed(columns, rows)
		}
	}
}
