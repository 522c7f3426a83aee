package fake

import (
	"context"
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/enginetest/script"
)

// console is what the program of an interactive container reads from and writes to.
type console struct {
	to     *attachedTo
	input  *io.PipeReader
	typing *io.PipeWriter
	failed chan error // of writing to who has joined
}

// Join implements host.Runtime. Its terminal is that of Attach.
func (r *Runtime) Join(ctx context.Context, id string, s engine.Streams, ready func()) error {
	c := r.container(id)
	if c == nil || c.spec.Console == nil {
		return fmt.Errorf("join container %s: it does not exist, or its program reads nothing", id)
	}
	inside, leave := context.WithCancel(ctx)
	defer leave()
	j := &console{
		to:     &attachedTo{streams: s, size: s.Size, kill: func() { c.interrupt() }},
		failed: make(chan error, 1),
	}
	j.input, j.typing = io.Pipe()
	c.mu.Lock()
	c.console = j
	c.mu.Unlock()
	ready()
	var feeding sync.WaitGroup
	feeding.Go(func() { j.to.feed(inside, j.typing) })
	var err error
	select {
	case <-c.ended:
	case err = <-j.failed:
	case <-ctx.Done():
		err = ctx.Err()
	}
	j.typing.Close() //nolint:errcheck // it cannot fail
	j.input.Close()  //nolint:errcheck // it cannot fail
	leave()
	feeding.Wait()
	return err
}

// furnish gives a program what it reads from and writes to.
func (c *container) furnish(p *script.Process) {
	p.Stdout, p.Signals = &c.out, c.signals
	j := c.console
	if j == nil {
		return
	}
	p.Stdin, p.Size = j.input, j.to.sizeNow
	p.Stdout = consoleStream{&c.out, j.to.streams.Out, j}
	p.Stderr = p.Stdout
	if !j.to.streams.Terminal {
		p.Stderr = consoleStream{&c.out, j.to.streams.Err, j}
	}
}

// consoleStream writes into the log and to who has joined. It never fails.
type consoleStream struct {
	log *output
	to  io.Writer
	*console
}

func (s consoleStream) Write(p []byte) (int, error) {
	if _, err := s.to.Write(p); err != nil {
		select {
		case s.failed <- err:
		default:
		}
	}
	return s.log.Write(p)
}

// interrupt ends a program that does not look after Ctrl-C.
func (c *container) interrupt() {
	c.mu.Lock()
	c.interrupted = true
	c.mu.Unlock()
	c.signal(syscall.SIGKILL)
}
