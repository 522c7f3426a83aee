package enginetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// visitor is somebody who has joined a task.
type visitor struct {
	in       chan []byte
	resized  chan engine.Size
	out, err heard
	leave    context.CancelFunc
	done     chan struct{} // closed when the others are set
	ended    setops.Task
	fault    error
}

// join runs words in a task of its own and joins that.
func (w *world) join(t *testing.T, c engine.Console, words ...string) (setops.Task, *visitor) {
	t.Helper()
	o := w.oneOff(words...)
	o.Console, o.StopTimeout = &c, 2*time.Second
	task := w.start(t, o)
	v := &visitor{in: make(chan []byte, 4), resized: make(chan engine.Size, 1), done: make(chan struct{})}
	ctx, leave := context.WithCancel(t.Context())
	v.leave = leave
	t.Cleanup(leave)
	joined := w.Engine
	go func() {
		defer close(v.done)
		v.ended, v.fault = joined.Join(ctx, task.ID, engine.Streams{In: v.in, Out: &v.out, Err: &v.err, Resized: v.resized})
	}()
	return task, v
}

// wants waits for the end and compares the exit code.
func (v *visitor) wants(t *testing.T, code int) {
	t.Helper()
	<-v.done
	if v.fault != nil || v.ended.ExitCode == nil || *v.ended.ExitCode != code {
		t.Errorf("got %+v, %v; it wrote %q, %q", v.ended, v.fault, v.out.String(), v.err.String())
	}
}

func joinedStreams(t *testing.T, w *world) {
	task, v := w.join(t, engine.Console{}, "print", "to the output", "errors", "to errors", "echo", "exit", "7")
	every := make([]byte, 0, 256)
	for i := range 256 {
		if i != '\n' { // one line of the log
			every = append(every, byte(i))
		}
	}
	long := bytes.Repeat(every, 300)
	// A cluster puts lines of one stream into the middle of a very long one of the other.
	eventually(t, "its errors are in its log", func() bool { return contains(w.lines(t, logOf(task.ID), "app"), "to errors") })
	v.in <- every
	v.in <- long
	close(v.in)
	v.wants(t, 7)
	if got := v.out.String(); got != "to the output\n"+string(every)+string(long) {
		t.Errorf("%d bytes came back, of %d", len(got), len(every)+len(long))
	}
	if got := v.err.String(); got != "to errors\n" {
		t.Errorf("errors: %q", got)
	}
	lines := w.lines(t, logOf(task.ID), "app")
	// Which of two streams is written to the log first is not known.
	if len(lines) < 3 || !slices.Contains(lines, "to the output") || !slices.Contains(lines, "to errors") {
		t.Errorf("its log has %d lines: %.100q", len(lines), lines)
	}
}

func joinedTerminal(t *testing.T, w *world) {
	task, v := w.join(t, engine.Console{Terminal: true, Size: engine.Size{Columns: 100, Rows: 40}}, "resized", "resized", "echo", "exit", "3")
	eventually(t, "it says its size", func() bool { return strings.Contains(v.out.String(), "100x40") })
	v.resized <- engine.Size{Columns: 120, Rows: 50}
	eventually(t, "it says its new size", func() bool { return strings.Contains(v.out.String(), "120x50") })
	v.in <- []byte("hello\n")
	eventually(t, "it says what it reads", func() bool { return strings.Contains(v.out.String(), "hello") })
	v.in <- []byte{4} // Ctrl-D
	v.wants(t, 3)
	if lines := w.lines(t, logOf(task.ID), "app"); !slices.Contains(lines, "100x40") || !slices.Contains(lines, "hello") {
		t.Errorf("its log has %q", lines)
	}
	_, v = w.join(t, engine.Console{Terminal: true}, "print", "ready", "sleep", "1h")
	eventually(t, "it has begun", func() bool { return strings.Contains(v.out.String(), "ready") })
	v.in <- []byte{3} // Ctrl-C
	<-v.done
	if v.fault != nil || v.ended.ExitCode == nil || *v.ended.ExitCode == 0 || v.ended.Told {
		t.Errorf("Ctrl-C: got %+v, %v", v.ended, v.fault)
	}
}

func joinedQuick(t *testing.T, w *world) {
	for range 5 {
		_, v := w.join(t, engine.Console{}, "count", "500", "exit", "4")
		v.wants(t, 4)
		if n := strings.Count(v.out.String(), "\n"); n != 500 {
			t.Errorf("%d lines of 500", n)
		}
	}
}

func joinedEnds(t *testing.T, w *world) {
	for _, terminal := range []bool{false, true} {
		task, v := w.join(t, engine.Console{Terminal: terminal}, "ignore-term", "print", "ready", "wait")
		eventually(t, "it has begun", func() bool { return strings.Contains(v.out.String(), "ready") })
		v.leave()
		<-v.done
		if !errors.Is(v.fault, context.Canceled) {
			t.Errorf("got %v", v.fault)
		}
		if ended := w.wait(t, task.ID); !ended.Told || !strings.Contains(ended.Reason, "connection") {
			t.Errorf("got %+v", ended)
		}
	}
}

func joinedOnce(t *testing.T, w *world) {
	task, v := w.join(t, engine.Console{}, "print", "ready", "wait")
	eventually(t, "it has begun", func() bool { return strings.Contains(v.out.String(), "ready") })
	for _, id := range []string{task.ID, w.host(t)} {
		if _, err := w.Join(t.Context(), id, engine.Streams{}); !setops.IsCode(err, setops.TaskDoesNotExist) {
			t.Errorf("another one: %v", err)
		}
	}
	var out heard
	code, err := w.Attach(t.Context(), task.ID, []string{"/testapp", "print", "beside"}, engine.Streams{In: typed(), Out: &out, Err: &out})
	if err != nil || code != 0 || out.String() != "beside\n" {
		t.Errorf("beside it: code %d, %v, %q", code, err, out.String())
	}
	if err := w.Stop(t.Context(), task.ID); err != nil {
		t.Error(err)
	}
	v.wants(t, 0)
	if !v.ended.Told {
		t.Errorf("got %+v", v.ended)
	}
}

func joinedUnrun(t *testing.T, w *world) {
	o := w.oneOff("nothing")
	o.Container.Entrypoint, o.Console = []string{"/no/such/program"}, &engine.Console{Terminal: true}
	task := w.start(t, o)
	var out heard
	ended, err := w.Join(t.Context(), task.ID, engine.Streams{In: make(chan []byte), Out: &out, Err: &out})
	if err != nil || ended.Status != setops.Stopped || ended.Unrun == "" {
		t.Errorf("got %+v, %v", ended, err)
	}
}

func joinedAndAdopted(t *testing.T, w *world) {
	task, v := w.join(t, engine.Console{Terminal: true}, "ignore-term", "print", "ready", "wait")
	eventually(t, "it has begun", func() bool { return strings.Contains(v.out.String(), "ready") })
	w.reopen(t, func() {})
	<-v.done
	if v.fault == nil {
		t.Errorf("whoever had joined is told %+v", v.ended)
	}
	if ended := w.wait(t, task.ID); !ended.Told || !strings.Contains(ended.Reason, "started anew") {
		t.Errorf("got %+v", ended)
	}
}
