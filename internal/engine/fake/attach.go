package fake

import (
	"context"
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/setopsco/setops/internal/engine"
)

// What a terminal makes of keys.
const (
	keyInterrupt = 3 // Ctrl-C
	keyEnd       = 4 // Ctrl-D
)

// Attach implements host.Runtime. It knows the programs that images can have. Its terminal knows Ctrl-C, Ctrl-D and its size, and
// echoes nothing.
func (r *Runtime) Attach(ctx context.Context, id string, argv []string, s engine.Streams) (int, error) {
	c := r.container(id)
	if c == nil {
		return 0, fmt.Errorf("run a command in container %s: it does not exist", id)
	}
	to := s.Err
	if s.Terminal {
		to = s.Out
	}
	program := lookUp(argv)
	if program == nil {
		_, err := fmt.Fprintf(to, "%v: not found\n", argv)
		return 127, err
	}
	inside, kill := context.WithCancel(ctx)
	defer kill()
	t := &attachedTo{streams: s, size: s.Size, kill: kill}
	reader, writer := io.Pipe()
	p := c.process(argv)
	p.Stdin, p.Stdout, p.Stderr, p.Signals, p.Size = reader, s.Out, to, make(chan syscall.Signal), t.sizeNow
	var feeding sync.WaitGroup
	feeding.Go(func() { t.feed(inside, writer) })
	feeding.Go(func() {
		select {
		case <-c.ctx.Done(): // the container ends, and all in it
			kill()
		case <-inside.Done():
		}
		reader.Close() //nolint:errcheck // it cannot fail
	})
	code := program(inside, p)
	kill()
	feeding.Wait()
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case t.interrupted:
		return engine.ExitOfSignal(syscall.SIGINT), nil
	case c.ctx.Err() != nil:
		return engine.ExitOfSignal(syscall.SIGKILL), nil
	}
	return code, nil
}

// attachedTo is a program's side of streams.
type attachedTo struct {
	streams     engine.Streams
	kill        context.CancelFunc
	interrupted bool // to be read once feed has ended

	mu   sync.Mutex
	size engine.Size
}

func (t *attachedTo) sizeNow() (columns, rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int(t.size.Columns), int(t.size.Rows)
}

func (t *attachedTo) feed(ctx context.Context, to *io.PipeWriter) {
	in, resized := t.streams.In, t.streams.Resized
	for {
		select {
		case <-ctx.Done():
			return
		case chunk, more := <-in:
			if !more {
				in = nil
				to.Close() //nolint:errcheck // it cannot fail
				break
			}
			t.typed(chunk, to)
		case size, more := <-resized:
			if !more {
				resized = nil
				break
			}
			t.mu.Lock()
			t.size = size
			t.mu.Unlock()
		}
	}
}

// typed writes what is typed, up to a key that means something.
func (t *attachedTo) typed(chunk []byte, to *io.PipeWriter) {
	if !t.streams.Terminal {
		_, _ = to.Write(chunk)
		return
	}
	for i := range chunk {
		switch chunk[i] {
		case keyInterrupt:
			t.interrupted = true
			t.kill()
			return
		case keyEnd:
			to.Close() //nolint:errcheck // it cannot fail
		default:
			_, _ = to.Write(chunk[i : i+1])
		}
	}
}
