//go:build linux

package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/setopsco/setops/internal/engine"
)

// Attach runs argv inside, with streams to it.
func (r *Runtime) Attach(ctx context.Context, id string, argv []string, s engine.Streams) (int, error) {
	if len(argv) == 0 {
		return 0, fmt.Errorf("run in container %s: no command is given", id)
	}
	code, err := r.attach(ctx, id, argv, s)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, fmt.Errorf("run in container %s: %w", id, err)
	}
	return code, nil
}

func (r *Runtime) attach(ctx context.Context, id string, argv []string, s engine.Streams) (int, error) {
	var size client.ConsoleSize
	if s.Terminal {
		size = client.ConsoleSize{Height: uint(s.Size.Rows), Width: uint(s.Size.Columns)}
	}
	made, err := r.api.ExecCreate(ctx, r.name(id), client.ExecCreateOptions{
		Cmd: argv, AttachStdin: true, AttachStdout: true, AttachStderr: true, TTY: s.Terminal, ConsoleSize: size,
	})
	if err != nil {
		return unbegun(s, err.Error(), err)
	}
	conn, err := r.startExec(ctx, made.ID, client.ExecAttachOptions{TTY: s.Terminal, ConsoleSize: size})
	if err != nil {
		return unbegun(s, err.Error(), err)
	}
	var feeding sync.WaitGroup
	over := make(chan struct{})
	feeding.Go(func() {
		feed(&conn.HijackedResponse, s, over, func(size engine.Size) { r.resizeExec(ctx, made.ID, size, over) })
	})
	copied := make(chan error, 1)
	said := &head{most: maxOutput}
	go func() { copied <- carryOut(conn.Reader, s, said) }()
	select {
	case err = <-copied:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil { // whoever reads it has gone, or Docker has
		r.killExec(context.WithoutCancel(ctx), made.ID)
	}
	close(over)
	conn.Close()
	feeding.Wait()
	if err != nil {
		if ctx.Err() != nil {
			<-copied
		}
		return 0, err
	}
	code, _, err := r.result(ctx, made.ID, said)
	return code, err
}

// carryOut passes on what the program writes, and keeps the beginning of it.
func carryOut(from io.Reader, s engine.Streams, said *head) error {
	var err error
	if s.Terminal {
		_, err = io.Copy(io.MultiWriter(s.Out, said), from)
	} else {
		_, err = stdcopy.StdCopy(io.MultiWriter(s.Out, said), io.MultiWriter(s.Err, said), from)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// unbegun is for a program that Docker refused to run.
func unbegun(s engine.Streams, text string, err error) (int, error) {
	reason, code, ok := explain(text)
	if !ok || code == 0 {
		return 0, err
	}
	to := s.Err
	if s.Terminal {
		to = s.Out
	}
	_, err = fmt.Fprintln(to, reason)
	return code, err
}

// feed sends what comes for the program, until it is over.
func feed(conn *client.HijackedResponse, s engine.Streams, over <-chan struct{}, resize func(engine.Size)) {
	in, resized := s.In, s.Resized
	if s.Terminal && s.Size != (engine.Size{}) {
		resize(s.Size) // Docker forgets the size that it was given at first
	}
	for {
		select {
		case <-over:
			return
		case chunk, more := <-in:
			if more {
				if _, err := conn.Conn.Write(chunk); err != nil {
					in = nil // it has closed its input
				}
				break
			}
			in = nil
			endInput(conn, s.Terminal)
		case size, more := <-resized:
			if !more {
				resized = nil
				break
			}
			resize(size)
		}
	}
}

func endInput(conn *client.HijackedResponse, terminal bool) {
	if terminal {
		_, _ = conn.Conn.Write([]byte{endOfInput})
		return
	}
	_ = conn.CloseWrite()
}

// resizeTries bounds the wait for a program that is about to begin.
const resizeTries = 100

func (r *Runtime) resizeExec(ctx context.Context, execID string, size engine.Size, over <-chan struct{}) {
	r.resize(ctx, over, resizeTries, func() bool {
		// Before the program has its terminal, Docker says yes and does nothing.
		one, err := r.api.ExecInspect(ctx, execID, client.ExecInspectOptions{})
		if err != nil || one.PID == 0 {
			return false
		}
		_, err = r.api.ExecResize(ctx, execID, client.ExecResizeOptions{Height: uint(size.Rows), Width: uint(size.Columns)})
		return err == nil
	})
}

func (r *Runtime) resize(ctx context.Context, over <-chan struct{}, tries int, try func() bool) {
	for range tries {
		if try() {
			return
		}
		select {
		case <-over:
			return
		default:
		}
		if !pause(ctx, lookAgain) {
			return
		}
	}
	r.cfg.Logger.Debug("a terminal keeps its size")
}

// endOfInput is what a person types on a terminal to end the input: Ctrl-D.
const endOfInput = 4
