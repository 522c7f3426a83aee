package kubernetes

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"k8s.io/client-go/tools/remotecommand"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// knockAgain is the pause before a latch is asked again: what it answered before its output was connected is lost.
const knockAgain = time.Second

// curtain is between a program behind a latch and who joins it. It talks to the latch until both sides of the program are connected, has
// it open, and lets through what comes from then on.
type curtain struct {
	streams engine.Streams
	waits   []byte // the latch says it
	opens   []byte
	ready   func() // called when all that the program will write comes here, before it begins
	failed  context.CancelCauseFunc

	mu    sync.Mutex
	deaf  int           // faces that have not answered
	heard chan struct{} // closed: all have
}

func newCurtain(task string, s engine.Streams, ready func(), failed context.CancelCauseFunc) *curtain {
	word := object.LatchWord(task)
	c := &curtain{
		streams: s, waits: []byte(word + object.LatchWaits), opens: []byte(word + object.LatchOpens), ready: ready, failed: failed,
		deaf: 2, heard: make(chan struct{}),
	}
	if s.Terminal {
		c.deaf = 1
	}
	return c
}

// options are the streams as the cluster carries them.
func (c *curtain) options(ctx context.Context) remotecommand.StreamOptions {
	s := c.streams
	o := remotecommand.StreamOptions{Stdin: c.input(ctx), Stdout: &face{curtain: c, to: s.Out}, Tty: s.Terminal}
	if s.Terminal {
		o.TerminalSizeQueue = &sizes{first: s.Size, next: s.Resized, done: ctx.Done()}
		return o
	}
	o.Stderr = &face{curtain: c, to: s.Err}
	return o
}

func (c *curtain) input(ctx context.Context) io.Reader {
	r, w := newInput(ctx)
	go func() {
		if c.knock(ctx, w) {
			pass(ctx, w, c.streams.In, c.streams.Terminal)
		}
	}()
	return r
}

// knock asks until the latch has answered on all faces, then has it open.
func (c *curtain) knock(ctx context.Context, w io.Writer) bool {
	again := time.NewTicker(knockAgain)
	defer again.Stop()
	for {
		if _, err := io.WriteString(w, object.LatchWaits); err != nil {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-c.heard:
			c.ready()
			_, err := io.WriteString(w, object.LatchOpens)
			return err == nil
		case <-again.C:
		}
	}
}

func (c *curtain) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deaf--; c.deaf == 0 {
		close(c.heard)
	}
}

// face is one stream that a program writes.
type face struct {
	*curtain
	to       io.Writer
	before   []byte // what came and is not known to be the program's
	answered bool
	isOpen   bool
}

// Write implements io.Writer.
func (f *face) Write(p []byte) (int, error) {
	rest := p
	if !f.isOpen {
		rest = f.listen(p)
	}
	if len(rest) == 0 {
		return len(p), nil
	}
	if _, err := f.to.Write(rest); err != nil {
		f.failed(err) // who should have it has gone
		return 0, err
	}
	return len(p), nil
}

// listen takes out what the latch says, and gives what comes behind its last words.
func (f *face) listen(p []byte) []byte {
	f.before = append(f.before, p...)
	if !f.answered && bytes.Contains(f.before, f.waits) {
		f.answered = true
		f.curtain.answered()
	}
	_, behind, found := bytes.Cut(f.before, f.opens)
	if !found {
		return nil
	}
	_, rest, found := bytes.Cut(behind, []byte("\n"))
	if !found {
		return nil
	}
	f.isOpen, f.before = true, nil
	return rest
}
