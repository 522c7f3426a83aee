package kubernetes

import (
	"bytes"
	"errors"
	"os/exec"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/latch/latchtest"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

func TestWhatAProgramBehindALatchReadsAndWritesIsItsOwn(t *testing.T) {
	var out, errs bytes.Buffer
	in := make(chan []byte, 1)
	in <- []byte("hello\n?!\n")
	close(in)
	isReady := false
	c := newCurtain("1a2b", engine.Streams{In: in, Out: &out, Err: &errs}, func() { isReady = true }, func(error) {})
	o := c.options(t.Context())
	p := exec.Command(latchtest.Build(t, "../../.."), object.LatchWord("1a2b"), "2", "0", "0", "/bin/sh", "-c", "cat; echo no >&2")
	p.Stdin, p.Stdout, p.Stderr = o.Stdin, o.Stdout, o.Stderr
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if out.String() != "hello\n?!\n" || errs.String() != "no\n" || !isReady {
		t.Errorf("output %q, errors %q, ready: %t", &out, &errs, isReady)
	}
}

// A first answer that is lost comes again. Whatever comes in one piece, or in many, and what a terminal echoes before the latch has it
// silent: none of it is the program's.
func TestWhatALatchSaysIsNobodysToRead(t *testing.T) {
	for _, said := range []string{"w?\nw!\nprogram", "?w?\r\nw?\r\nw!\r\nprogram", "w?\nw?\nw?\nw!\nprogram"} {
		said = string(bytes.ReplaceAll([]byte(said), []byte("w"), []byte(object.LatchWord("1a2b"))))
		for _, size := range []int{1, 7, len(said)} {
			var out bytes.Buffer
			c := newCurtain("1a2b", engine.Streams{Terminal: true, Out: &out}, nil, nil)
			f := &face{curtain: c, to: &out}
			for rest := []byte(said); len(rest) > 0; rest = rest[min(size, len(rest)):] {
				if _, err := f.Write(rest[:min(size, len(rest))]); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case <-c.heard:
			default:
				t.Errorf("%q: it was not heard", said)
			}
			if out.String() != "program" {
				t.Errorf("%q in pieces of %d: %q", said, size, &out)
			}
		}
	}
}

func TestWhoReadsNoMoreEndsWhatTheyJoined(t *testing.T) {
	gone := errors.New("gone")
	var failed error
	c := newCurtain("1a2b", engine.Streams{Terminal: true, Out: deaf{gone}}, nil, func(err error) { failed = err })
	f := &face{curtain: c, to: deaf{gone}, isOpen: true}
	if _, err := f.Write([]byte("x")); !errors.Is(err, gone) || !errors.Is(failed, gone) {
		t.Errorf("got %v, and ended by %v", err, failed)
	}
}

type deaf struct{ err error }

func (d deaf) Write([]byte) (int, error) { return 0, d.err }
