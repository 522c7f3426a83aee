package enginetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// heard is what an attached program wrote.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// host is a one-off task that waits, in which programs are run.
func (w *world) host(t *testing.T) string {
	t.Helper()
	id := w.start(t, w.oneOff("print", "ready", "wait")).ID
	eventually(t, "it has begun", func() bool { return contains(w.lines(t, logOf(id), "app"), "ready") })
	return id
}

// typed is an input that has ended.
func typed(chunks ...[]byte) <-chan []byte {
	in := make(chan []byte, len(chunks))
	for _, chunk := range chunks {
		in <- chunk
	}
	close(in)
	return in
}

func attachedStreams(t *testing.T, w *world) {
	id := w.host(t)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	long := bytes.Repeat(every, 1000)
	var out, failures heard
	code, err := w.Attach(t.Context(), id, []string{"/testapp", "errors", "to errors", "echo", "exit", "7"}, engine.Streams{
		In: typed(every, long), Out: &out, Err: &failures,
	})
	if err != nil || code != 7 {
		t.Errorf("code %d, %v", code, err)
	}
	if got := out.String(); got != string(every)+string(long) {
		t.Errorf("%d bytes came back, of %d", len(got), len(every)+len(long))
	}
	if got := failures.String(); got != "to errors\n" {
		t.Errorf("errors: %q", got)
	}
	var why heard
	code, err = w.Attach(t.Context(), id, []string{"/no/such/program"}, engine.Streams{In: typed(), Out: &why, Err: &why})
	if err != nil || code != 127 || why.String() == "" {
		t.Errorf("a program that is not there: code %d, %v, %q", code, err, why.String())
	}
	if lines := w.lines(t, logOf(id), "app"); len(lines) != 1 {
		t.Errorf("the task's own log has %q", lines)
	}
}

func attachedTerminal(t *testing.T, w *world) {
	id := w.host(t)
	in, resized := make(chan []byte, 1), make(chan engine.Size, 1)
	var out heard
	ended := make(chan struct{})
	var code int
	var err error
	go func() {
		defer close(ended)
		code, err = w.Attach(t.Context(), id, []string{"/testapp", "resized", "resized", "wait"}, engine.Streams{
			In: in, Out: &out, Terminal: true, Size: engine.Size{Columns: 100, Rows: 40}, Resized: resized,
		})
	}()
	eventually(t, "it says its size", func() bool { return strings.Contains(out.String(), "100x40") })
	resized <- engine.Size{Columns: 120, Rows: 50}
	eventually(t, "it says its new size", func() bool { return strings.Contains(out.String(), "120x50") })
	in <- []byte{3} // Ctrl-C
	<-ended
	if err != nil || code != 130 {
		t.Errorf("code %d, %v; it wrote %q", code, err, out.String())
	}
	code, err = w.Attach(t.Context(), id, []string{"/testapp", "echo"}, engine.Streams{In: typed(), Out: &out, Terminal: true})
	if err != nil || code != 0 {
		t.Errorf("the end of the input: code %d, %v", code, err)
	}
}

func attachedEarly(t *testing.T, w *world) {
	id := w.start(t, w.oneOff("wait")).ID
	var out heard
	code, err := w.Attach(t.Context(), id, []string{"/testapp", "print", "inside"}, engine.Streams{In: typed(), Out: &out, Err: &out})
	if err != nil || code != 0 || out.String() != "inside\n" {
		t.Errorf("to a task that begins: code %d, %v, %q", code, err, out.String())
	}
}

func attachedEnds(t *testing.T, w *world) {
	id := w.host(t)
	ctx, leave := context.WithCancel(t.Context())
	var out heard
	ended := make(chan error, 1)
	go func() {
		_, err := w.Attach(ctx, id, []string{"/testapp", "print", "begun", "await", "leaving", "touch", "survived"}, engine.Streams{
			In: make(chan []byte), Out: &out, Err: &out,
		})
		ended <- err
	}()
	eventually(t, "it has begun", func() bool { return strings.Contains(out.String(), "begun") })
	leave()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if !w.h.LeavesAttached {
		w.hasLeftNothing(t, id)
	}
	if err := w.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.wait(t, id)
	_, err := w.Attach(t.Context(), id, []string{"/testapp", "echo"}, engine.Streams{In: typed(), Out: &out, Err: &out})
	if !setops.IsCode(err, setops.TaskDoesNotExist) {
		t.Errorf("to a task that has ended: %v", err)
	}
}

// hasLeftNothing holds that the program that was to touch a file when its connection had ended does not.
func (w *world) hasLeftNothing(t *testing.T, id string) {
	t.Helper()
	var told heard
	code, err := w.Attach(t.Context(), id, []string{"/testapp", "touch", "leaving", "sleep", "300ms", "need", "survived"}, engine.Streams{In: typed(), Out: &told, Err: &told})
	if err != nil || code != 1 {
		t.Errorf("it goes on: code %d, %v", code, err)
	}
}

func linesAreTold(t *testing.T, w *world) {
	o := w.oneOff("print", "ready", "wait")
	o.Note = "why it runs"
	id := w.start(t, o).ID
	eventually(t, "it has begun", func() bool { return contains(w.lines(t, logOf(id), "app"), "ready") })
	if err := w.Tell(t.Context(), id, "what is new"); err != nil {
		t.Fatal(err)
	}
	lines := w.lines(t, logOf(id), "system")
	if len(lines) == 0 || lines[0] != "why it runs" || !slices.Contains(lines, "what is new") {
		t.Errorf("got %q", lines)
	}
	if err := w.Tell(t.Context(), "none", "a line"); !setops.IsCode(err, setops.TaskDoesNotExist) {
		t.Errorf("got %v", err)
	}
}
