//go:build linux

package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/setopsco/setops/internal/engine"
)

// startTries bounds the wait for a container that is about to be started: some more than a minute.
const startTries = 4000

// Join carries the streams of a container's own program. Docker keeps what it writes for who is attached before it starts.
func (r *Runtime) Join(ctx context.Context, id string, s engine.Streams, ready func()) error {
	conn, err := r.api.ContainerAttach(ctx, r.name(id), client.ContainerAttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return fmt.Errorf("join container %s: %w", id, err)
	}
	ready()
	var feeding sync.WaitGroup
	over := make(chan struct{})
	feeding.Go(func() {
		feed(&conn.HijackedResponse, s, over, func(size engine.Size) { r.resizeOwn(ctx, id, size, over) })
	})
	copied := make(chan error, 1)
	go func() { copied <- carryOut(conn.Reader, s, &head{}) }()
	select {
	case err = <-copied:
	case <-ctx.Done():
		err = ctx.Err()
	}
	close(over)
	if err != nil {
		_ = conn.Conn.SetWriteDeadline(time.Now().Add(killLimit)) // it may read nothing any more
		endInput(&conn.HijackedResponse, s.Terminal)
	}
	conn.Close()
	feeding.Wait()
	if err == nil {
		err = r.awaitEnd(ctx, id)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("join container %s: %w", id, err)
	}
	return nil
}

// errCut is the end of a connection whose container goes on.
var errCut = errors.New("the connection was ended by Docker")

// awaitEnd tells an end of the streams that is the container's from one that is not.
func (r *Runtime) awaitEnd(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for {
		one, err := r.inspect(ctx, id)
		switch {
		case errdefs.IsNotFound(err):
			return nil
		case ctx.Err() != nil:
			return errCut
		case err != nil:
			return err
		case !one.State.Running && one.State.Status != "created":
			return nil
		}
		if !pause(ctx, lookAgain) {
			return errCut
		}
	}
}

func (r *Runtime) resizeOwn(ctx context.Context, id string, size engine.Size, over <-chan struct{}) {
	r.resize(ctx, over, startTries, func() bool {
		one, err := r.inspect(ctx, id)
		if err != nil || one.State.Pid == 0 {
			return false
		}
		_, err = r.api.ContainerResize(ctx, r.name(id), client.ContainerResizeOptions{Height: uint(size.Rows), Width: uint(size.Columns)})
		return err == nil
	})
}
