package kubernetes

import (
	"context"
	"fmt"
	"io"
	"time"

	"k8s.io/client-go/tools/remotecommand"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// attachWait is how long a program waits for its task to begin.
const attachWait = 30 * time.Second

// Attach runs a program inside a task that runs, or is about to.
func (e *Engine) Attach(ctx context.Context, taskID string, argv []string, s engine.Streams) (int, error) {
	t, err := e.awaitBegin(ctx, taskID)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	in := input(ctx, s.In, s.Terminal)
	o := remotecommand.StreamOptions{Stdin: in, Stdout: s.Out, Stderr: s.Err, Tty: s.Terminal}
	if s.Terminal {
		o.Stderr, o.TerminalSizeQueue = nil, &sizes{first: s.Size, next: s.Resized, done: ctx.Done()}
	}
	code, err := e.exec(ctx, t.namespace, t.pod, argv, o)
	if err != nil && ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return code, err
}

// awaitBegin gives a task once it runs.
func (e *Engine) awaitBegin(ctx context.Context, taskID string) (facts, error) {
	t, err := e.taskOf(taskID)
	if err != nil {
		return facts{}, err
	}
	late := time.NewTimer(attachWait)
	defer late.Stop()
	select {
	case <-t.begun:
	case <-late.C:
	case <-ctx.Done():
		return facts{}, ctx.Err()
	case <-e.ctx.Done():
		return facts{}, fmt.Errorf("attach to task %s: %w", taskID, engine.ErrClosed)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.StartedAt.IsZero() || t.Status.Ended() {
		return facts{}, setops.Refuse(setops.TaskDoesNotExist, "task %s does not run: its status is %s", taskID, t.Status)
	}
	return t.facts, nil
}

// endOfInput is Ctrl-D: a terminal has no other.
const endOfInput = 4

// input passes chunks on as a reader, and its end.
func input(ctx context.Context, in <-chan []byte, terminal bool) io.Reader {
	if in == nil {
		return nil
	}
	r, w := newInput(ctx)
	go pass(ctx, w, in, terminal)
	return r
}

// newInput gives both ends of what a program reads. It ends with ctx.
func newInput(ctx context.Context) (*io.PipeReader, *io.PipeWriter) {
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { w.Close() }) //nolint:errcheck // it is never an error
	return r, w
}

// pass writes chunks, and the end of them.
func pass(ctx context.Context, w *io.PipeWriter, in <-chan []byte, terminal bool) {
	for {
		select {
		case <-ctx.Done():
			return
		case chunk, more := <-in:
			if !more && !terminal {
				w.Close() //nolint:errcheck // it is never an error
				return
			}
			if !more {
				chunk, in = []byte{endOfInput}, nil
			}
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
}

// sizes tells the size of a terminal, and each new one.
type sizes struct {
	first engine.Size
	said  bool
	next  <-chan engine.Size
	done  <-chan struct{}
}

// Next implements remotecommand.TerminalSizeQueue.
func (s *sizes) Next() *remotecommand.TerminalSize {
	size := s.first
	if s.said || size == (engine.Size{}) {
		var more bool
		select {
		case <-s.done:
			return nil
		case size, more = <-s.next:
			if !more {
				return nil
			}
		}
	}
	s.said = true
	return &remotecommand.TerminalSize{Width: size.Columns, Height: size.Rows}
}
