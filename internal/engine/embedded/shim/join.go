//go:build linux && cgo

package shim

import (
	"encoding/json"
	"errors"
	"net"
	"sync"

	"github.com/opencontainers/runc/libcontainer"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
)

// console is our side of the streams of an interactive container, and who has them.
type console struct {
	ends *ends

	mu     sync.Mutex
	joined *frames // nil: what the program writes goes to its log alone
}

func openConsole(p *libcontainer.Process, c wire.Console) (*console, error) {
	ends, err := connect(p, c)
	if err != nil {
		return nil, err
	}
	return &console{ends: ends}, nil
}

// begin has what the program writes logged, and passed on to who has joined, once the container holds its ends.
func (c *console) begin(log *output) error {
	if c == nil {
		return nil
	}
	c.ends.closeTheirs()
	if err := c.ends.receive(); err != nil {
		return err
	}
	log.terminal = c.ends.tty != nil
	for kind, r := range c.ends.outputs {
		log.tee(r, consoleStream{c, kind})
	}
	return nil
}

// consoleStream passes on what is written to one stream. It never fails, for the log's sake.
type consoleStream struct {
	*console
	kind byte
}

func (s consoleStream) Write(p []byte) (int, error) {
	s.mu.Lock()
	to := s.joined
	s.mu.Unlock()
	for rest := p; to != nil && len(rest) > 0; {
		n := min(len(rest), wire.MaxFrame)
		to.send(s.kind, rest[:n])
		rest = rest[n:]
	}
	return len(p), nil
}

// join passes the container's streams through the connection's frames until the container has ended and all was passed on, or
// the server hangs up.
func (s *shim) join(conn net.Conn, _ wire.Request) error {
	c := s.console
	if c == nil {
		return errors.New("its program reads nothing")
	}
	out := &frames{conn: conn, lost: c.ends.endInput}
	if !c.take(out) {
		return errors.New("somebody has joined it")
	}
	defer c.take(nil)
	if err := json.NewEncoder(conn).Encode(wire.Response{Version: wire.Version}); err != nil {
		c.ends.endInput()
		return nil //nolint:nilerr // nobody listens
	}
	var reading sync.WaitGroup
	gone := make(chan struct{})
	reading.Go(func() { c.ends.input(conn) })
	reading.Go(func() { // beside the input, which waits where the program does not read
		if hangsUp(conn, s.ended) {
			close(gone)
		}
	})
	defer reading.Wait()
	defer conn.Close()
	select {
	case <-s.ended:
		out.send(wire.Ended, wire.CodeContent(s.exit.Code))
	case <-gone:
		c.ends.endInput()
	}
	return nil
}

// take gives the streams to somebody, or to nobody. It reports false where somebody has them.
func (c *console) take(out *frames) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if out != nil && c.joined != nil {
		return false
	}
	c.joined = out
	return true
}
