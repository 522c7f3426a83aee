//go:build linux

package docker

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
)

// knockAgain is how often a Docker that is away is asked whether it is back.
const knockAgain = 500 * time.Millisecond

// Wait returns when the container has ended and its log is complete. A Docker that goes away is waited for: unless its
// containers outlive it, they end with it, and it tells when it is back. A container that was removed behind our back is
// lost.
func (r *Runtime) Wait(ctx context.Context, id string) (host.Exit, error) {
	away := false
	for {
		one, err := r.ended(ctx, id)
		switch {
		case ctx.Err() != nil:
			return host.Exit{}, ctx.Err()
		case errdefs.IsNotFound(err):
			return host.Exit{Lost: true, At: time.Now().UTC()}, r.awaitLog(ctx, id)
		case err == nil:
			exit := r.judge(ctx, id, one.State, away)
			if !exit.Lost && !exit.OOMKilled {
				exit.Unrun = r.whyUnrun(ctx, one)
			}
			return exit, r.awaitLog(ctx, id)
		}
		if !away {
			r.cfg.Logger.Warn("Docker does not say when a container ends; it is asked again", "container", id, "error", err)
			away = true
		}
		if !pause(ctx, knockAgain) {
			return host.Exit{}, ctx.Err()
		}
	}
}

// ended gives the container once it does not run any more.
func (r *Runtime) ended(ctx context.Context, id string) (containers.InspectResponse, error) {
	// The name could be given to another container; what is inspected and what is waited for shall be the same.
	one, err := r.inspect(ctx, id)
	if err != nil || !one.State.Running {
		return one, err
	}
	waiting := r.api.ContainerWait(ctx, one.ID, client.ContainerWaitOptions{Condition: containers.WaitConditionNotRunning})
	select { // ctx is the client's: one of the two comes always
	case answer := <-waiting.Result:
		if answer.Error != nil {
			return one, errors.New(answer.Error.Message)
		}
	case err := <-waiting.Error:
		return one, fmt.Errorf("wait for container %s: %w", id, err)
	}
	one, err = r.inspect(ctx, id)
	if err == nil && one.State.Running {
		return one, fmt.Errorf("wait for container %s: it runs again", id)
	}
	return one, err
}

// oomDelay is how long the kernel's word that memory ran out may come behind the end that it caused.
const oomDelay = 300 * time.Millisecond

// judge says how the container ended. Docker gives the exit code that a shell would: 128 and the number of a signal. An
// app that chooses such a code by itself cannot be told from one that was killed.
func (r *Runtime) judge(ctx context.Context, id string, s *containers.State, away bool) host.Exit {
	exit := host.Exit{Code: s.ExitCode, At: timeOf(s.FinishedAt)}
	started := timeOf(s.StartedAt)
	if exit.At.IsZero() {
		exit.At = time.Now().UTC()
	}
	if started.IsZero() || diedWithDocker(s.ExitCode, away) || s.ExitCode == unseen && started.Before(booted()) {
		return host.Exit{Lost: true, At: exit.At}
	}
	if n := syscall.Signal(s.ExitCode - engine.ExitOfSignal(0)); n > 0 && n < 32 {
		exit.Signal = n
	}
	if !r.wasAsked(id) {
		exit.OOMKilled = s.ExitCode != 0 && (s.OOMKilled || exit.Signal == syscall.SIGKILL && r.ranOutOfMemory(ctx, id))
	}
	return exit
}

// unseen is the exit code that Docker gives where it did not see the end.
const unseen = 255

// diedWithDocker reports a container that ended while Docker was away, by a code that says that Docker ended it.
func diedWithDocker(code int, away bool) bool {
	return away && (code == unseen || code == engine.ExitOfSignal(syscall.SIGKILL) || code == engine.ExitOfSignal(syscall.SIGTERM))
}

// booted is when this machine came up.
func booted() time.Time {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(info.Uptime) * time.Second)
}

func (r *Runtime) wasAsked(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known(id).asked
}

// ranOutOfMemory waits for a word that is late.
func (r *Runtime) ranOutOfMemory(ctx context.Context, id string) bool {
	ctx, cancel := context.WithTimeout(ctx, oomDelay)
	defer cancel()
	for pause(ctx, lookAgain) {
		if one, err := r.inspect(ctx, id); err == nil && one.State.OOMKilled {
			return true
		}
	}
	return false
}

// awaitLog returns when all that the container wrote is in its log.
func (r *Runtime) awaitLog(ctx context.Context, id string) error {
	r.mu.Lock()
	log := r.known(id).log
	r.mu.Unlock()
	if log == nil {
		return nil
	}
	return log.wait(ctx)
}
