//go:build linux

package docker

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/host"
)

// startExec begins a program inside a container, unless ctx has ended. A ctx that ends meanwhile does not give it up: nobody would
// know whether there is one to be killed.
func (r *Runtime) startExec(ctx context.Context, execID string, o client.ExecAttachOptions) (client.ExecAttachResult, error) {
	if ctx.Err() != nil {
		return client.ExecAttachResult{}, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startLimit)
	defer cancel()
	return r.api.ExecAttach(ctx, execID, o)
}

// killExec ends a program that was begun inside a container: Docker has no call for that, so that it is found by its pid. It
// is asked for twice, with the process held in between: a number alone may be another's by then.
func (r *Runtime) killExec(ctx context.Context, execID string) {
	ctx, cancel := context.WithTimeout(ctx, killLimit)
	defer cancel()
	r.awaitExec(ctx, execID)
	for range 2 {
		if r.tryKillExec(ctx, execID) || !pause(ctx, lookAgain) {
			return
		}
	}
	r.cfg.Logger.Warn("a program inside a container could not be ended; it ends with its container", "exec", execID)
}

// awaitExec waits until a program that Docker has taken has begun: until then it has no pid, and no code.
func (r *Runtime) awaitExec(ctx context.Context, execID string) {
	for {
		state, err := r.api.ExecInspect(ctx, execID, client.ExecInspectOptions{})
		if err != nil || state.PID != 0 || state.ExitCode != 0 || !pause(ctx, lookAgain) {
			return
		}
	}
}

// tryKillExec reports whether the program has ended or was killed.
func (r *Runtime) tryKillExec(ctx context.Context, execID string) bool {
	first, err := r.api.ExecInspect(ctx, execID, client.ExecInspectOptions{})
	if err != nil || first.PID == 0 {
		return err == nil && !first.Running
	}
	fd, err := unix.PidfdOpen(first.PID, 0)
	if err != nil {
		return !first.Running
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	again, err := r.api.ExecInspect(ctx, execID, client.ExecInspectOptions{})
	if err != nil || !again.Running {
		return err == nil
	}
	if !isOf(first.PID, again.ContainerID) {
		return false
	}
	_ = unix.Kill(-first.PID, unix.SIGKILL) // what it has started; the group is led by it
	return unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) == nil
}

// isOf reports whether the process is in the container: a Docker that runs elsewhere, in a namespace of its own, counts
// processes of its own.
func isOf(pid int, containerID string) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	return err == nil && containerID != "" && strings.Contains(string(b), containerID)
}

// dockerDNS is where Docker itself answers inside a container.
var dockerDNS = netip.AddrFrom4([4]byte{127, 0, 0, 11})

// Listening gives the TCP addresses that the container listens on, as seen from inside.
func (r *Runtime) Listening(ctx context.Context, id string) ([]netip.AddrPort, error) {
	one, err := r.inspect(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("look at what container %s listens on: %w", id, err)
	}
	if pid := one.State.Pid; pid != 0 && isOf(pid, one.ID) {
		found, err := host.ListeningOf(pid)
		return slices.DeleteFunc(found, func(a netip.AddrPort) bool { return a.Addr() == dockerDNS }), err
	}
	return nil, fmt.Errorf("look at what container %s listens on: no process of it runs here", id)
}
