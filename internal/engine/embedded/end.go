//go:build linux

package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
	"github.com/setopsco/setops/internal/engine/host"
)

// lookAgain is how often a shim is looked at that is between two states: it runs, and does not listen yet or any more.
const lookAgain = 10 * time.Millisecond

// Wait returns when the container has ended and its log is complete. One that an earlier process created and never
// started will never end by itself: it counts as lost.
func (r *Runtime) Wait(ctx context.Context, id string) (host.Exit, error) {
	if err := errID(id); err != nil {
		return host.Exit{}, err
	}
	for {
		exit, ended, err := r.exited(ctx, id)
		if ended || err != nil {
			return exit, err
		}
		response, err := r.ask(ctx, id, wire.Request{Op: wire.Wait})
		if err == nil && response.Exit != nil {
			return toExit(*response.Exit), nil
		}
		if err != nil && !errors.Is(err, errNoShim) {
			return host.Exit{}, fmt.Errorf("wait for container %s: %w", id, err)
		}
		select {
		case <-ctx.Done():
			return host.Exit{}, ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

// exited tells how the container ended, if it did.
func (r *Runtime) exited(ctx context.Context, id string) (host.Exit, bool, error) {
	record, recordErr := wire.ReadRecord(r.taskDir(id))
	running := recordErr == nil && record.Shim.Alive()
	// In this order: a shim ends after it has written its file.
	exit, err := wire.ReadExit(r.taskDir(id))
	switch {
	case err == nil:
		return toExit(exit), true, nil
	case !errors.Is(err, fs.ErrNotExist):
		return host.Exit{}, false, fmt.Errorf("wait for container %s: %w", id, err)
	case !exists(r.taskDir(id)):
		return host.Exit{}, false, fmt.Errorf("wait for container %s: there is no such container", id)
	case r.stateOf(id) == creating, running && (r.stateOf(id) == created || !record.StartedAt.IsZero()):
		return host.Exit{}, false, nil
	}
	// Nobody has seen its end, so make sure of it.
	if err := r.killAll(ctx, id); err != nil {
		return host.Exit{}, false, err
	}
	return host.Exit{Lost: true, At: time.Now().UTC()}, true, nil
}

func toExit(e wire.Exit) host.Exit {
	return host.Exit{Code: e.Code, Signal: syscall.Signal(e.Signal), OOMKilled: e.OOMKilled, At: e.At}
}

// List gives the containers that were not removed.
func (r *Runtime) List(ctx context.Context) ([]host.Found, error) {
	metas, err := r.metas()
	if err != nil {
		return nil, err
	}
	found := make([]host.Found, 0, len(metas))
	for _, m := range metas {
		f := host.Found{ID: m.ID, Labels: m.Labels, IP: m.IP}
		record, err := wire.ReadRecord(r.taskDir(m.ID))
		if err == nil {
			f.StartedAt = record.StartedAt
			f.Running = !record.StartedAt.IsZero() && record.Shim.Alive() && !r.hasEnded(m.ID)
		}
		found = append(found, f)
	}
	return found, ctx.Err()
}
