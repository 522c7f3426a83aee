//go:build linux

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
)

const (
	// politeLimit is how long a shim that was told to kill its container may take before it is killed itself.
	politeLimit = 10 * time.Second
	pollSlice   = 100 * time.Millisecond
)

// Remove kills what still runs and frees all of the container. It returns when nothing of it is left.
func (r *Runtime) Remove(ctx context.Context, id string) error {
	if err := errID(id); err != nil {
		return err
	}
	defer r.locks.lock(id)()
	if err := r.remove(ctx, id); err != nil {
		return fmt.Errorf("remove container %s: %w", id, err)
	}
	r.setState(id, foreign)
	return nil
}

// remove goes backwards through what create makes. The directory is last: as long as it is there, a later process knows
// that something is left.
func (r *Runtime) remove(ctx context.Context, id string) error {
	if err := r.killAll(ctx, id); err != nil {
		return err
	}
	err := errors.Join(r.removeCgroup(id), r.cfg.Images.Unmount(ctx, id), r.cfg.Network.Detach(ctx, id))
	if err != nil {
		return err
	}
	return os.RemoveAll(r.taskDir(id))
}

// killAll ends the container and its shim, and waits until both have.
func (r *Runtime) killAll(ctx context.Context, id string) error {
	record, err := wire.ReadRecord(r.taskDir(id))
	if err == nil && record.Shim.Alive() {
		if err := r.endShim(ctx, id, record.Shim); err != nil {
			return err
		}
	}
	return r.killCgroup(ctx, id)
}

// endShim lets the shim kill its container, so that the end is written down, and kills it when that takes too long.
func (r *Runtime) endShim(ctx context.Context, id string, shim wire.Process) error {
	polite, cancel := context.WithTimeout(ctx, politeLimit)
	defer cancel()
	if _, err := r.ask(polite, id, wire.Request{Op: wire.Kill}); err == nil {
		if awaitEnd(polite, shim) == nil {
			return nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := kill(shim); err != nil {
		return fmt.Errorf("kill shim: %w", err)
	}
	return awaitEnd(ctx, shim)
}

// kill ends exactly that process, not one that has got its number since.
func kill(p wire.Process) error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if !p.Alive() { // asked after the process is held: from here on the number is its own
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// awaitEnd returns when the process has ended. It need not be our child.
func awaitEnd(ctx context.Context, p wire.Process) error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("watch process %d: %w", p.PID, err)
	}
	defer unix.Close(fd)
	for p.Alive() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(pollSlice.Milliseconds()))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("watch process %d: %w", p.PID, err)
		}
	}
	return nil
}
