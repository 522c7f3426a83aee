//go:build linux

package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/embedded/wire"
)

// Attach runs argv inside, with its streams carried by the shim.
func (r *Runtime) Attach(ctx context.Context, id string, argv []string, s engine.Streams) (int, error) {
	if len(argv) == 0 {
		return 0, fmt.Errorf("run in container %s: no command is given", id)
	}
	if err := errID(id); err != nil {
		return 0, err
	}
	request := wire.Request{
		Version: wire.Version, Op: wire.Attach, Argv: argv, Terminal: s.Terminal, Columns: s.Size.Columns, Rows: s.Size.Rows,
	}
	code, err := r.converse(ctx, id, request, s, func() {})
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return code, failed("run in", id, wire.Response{}, err)
}

// Join carries the streams of a container's own program.
func (r *Runtime) Join(ctx context.Context, id string, s engine.Streams, ready func()) error {
	if err := errID(id); err != nil {
		return err
	}
	_, err := r.converse(ctx, id, wire.Request{Version: wire.Version, Op: wire.Join}, s, ready)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failed("join", id, wire.Response{}, err)
}

// converse has the shim carry the streams of a program, from begun on.
func (r *Runtime) converse(ctx context.Context, id string, request wire.Request, s engine.Streams, begun func()) (int, error) {
	conn, err := dial(ctx, r.taskDir(id))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	return attached(conn, request, s, begun)
}

func attached(conn net.Conn, request wire.Request, s engine.Streams, ready func()) (int, error) {
	if err := json.NewEncoder(conn).Encode(request); err != nil {
		return 0, fmt.Errorf("%w: %w", errNoShim, err)
	}
	in := bufio.NewReader(conn)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errNoShim, err)
	}
	var begun wire.Response
	if err := json.Unmarshal(line, &begun); err != nil {
		return 0, err
	}
	if begun.Error != "" {
		return 0, errors.New(begun.Error)
	}
	ready()
	var feeding sync.WaitGroup
	over := make(chan struct{})
	defer feeding.Wait()
	defer close(over)
	feeding.Go(func() { feed(conn, s, over) })
	return drain(in, s)
}

// feed sends what comes for the program, until it is over.
func feed(conn net.Conn, s engine.Streams, over <-chan struct{}) {
	in, resized := s.In, s.Resized
	for {
		var err error
		select {
		case <-over:
			return
		case chunk, more := <-in:
			if !more {
				in, err = nil, wire.WriteFrame(conn, wire.InputEnd, nil)
				break
			}
			for len(chunk) > 0 && err == nil {
				n := min(len(chunk), wire.MaxFrame)
				err = wire.WriteFrame(conn, wire.Input, chunk[:n])
				chunk = chunk[n:]
			}
		case size, more := <-resized:
			if !more {
				resized = nil
				break
			}
			err = wire.WriteFrame(conn, wire.Resize, wire.SizeContent(size.Columns, size.Rows))
		}
		if err != nil {
			return // drain hears of it too
		}
	}
}

// drain passes on what the program writes, and gives its exit code. Where that fails, the connection is closed behind it and the
// program killed.
func drain(in *bufio.Reader, s engine.Streams) (int, error) {
	for {
		kind, content, err := wire.ReadFrame(in)
		if err != nil {
			return 0, fmt.Errorf("%w: %w", errNoShim, err)
		}
		switch kind {
		case wire.Output:
			_, err = s.Out.Write(content)
		case wire.Errors:
			to := s.Err
			if s.Terminal {
				to = s.Out
			}
			_, err = to.Write(content)
		case wire.Ended:
			if code, ok := wire.ParseCode(content); ok {
				return code, nil
			}
			err = errors.New("the shim gives no exit code")
		}
		if err != nil {
			return 0, err
		}
	}
}
