//go:build linux

package docker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Start runs the container's program, and fetches what it writes from then on. Docker would run an ended one again, so
// that a container is started once only.
func (r *Runtime) Start(ctx context.Context, id string) error {
	if r.isStarted(id) {
		return nil
	}
	if _, err := r.api.ContainerStart(ctx, r.name(id), client.ContainerStartOptions{}); err != nil {
		return refused(fmt.Errorf("start container %s: %w", id, diskFull(err)))
	}
	found, err := r.inspect(ctx, id)
	if err != nil {
		return fmt.Errorf("start container %s: %w", id, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.known(id)
	c.started = true
	r.follow(id, c, found.Config)
	return nil
}

func (r *Runtime) isStarted(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.containers[id]
	return c != nil && c.started
}

// Signal sends a signal to the container's first process.
func (r *Runtime) Signal(ctx context.Context, id string, s syscall.Signal) error {
	if s == syscall.SIGTERM || s == syscall.SIGKILL {
		r.mu.Lock()
		r.known(id).asked = true
		r.mu.Unlock()
	}
	_, err := r.api.ContainerKill(ctx, r.name(id), client.ContainerKillOptions{Signal: strconv.Itoa(int(s))})
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) { // a conflict: it does not run
		return fmt.Errorf("signal container %s: %w", id, err)
	}
	return nil
}

// Remove kills what still runs and frees all of the container: Docker returns when nothing of it is left.
func (r *Runtime) Remove(ctx context.Context, id string) error {
	if err := r.patiently(ctx, func() error { return r.remove(ctx, id) }); err != nil {
		return fmt.Errorf("remove container %s: %w", id, err)
	}
	r.mu.Lock()
	log := r.known(id).log
	r.mu.Unlock()
	if log != nil {
		log.stop()
	}
	r.forget(id)
	return nil
}

func (r *Runtime) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.containers, id)
}

// lookAgain is how often something is looked at that Docker is about to do.
const lookAgain = 20 * time.Millisecond

// remove asks again while Docker says that it removes the container already. One with our name and without our label is
// somebody else's.
func (r *Runtime) remove(ctx context.Context, id string) error {
	for {
		found, err := r.inspect(ctx, id)
		if errdefs.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ours := r.isTask([]string{found.Name}, found.Config.Labels); !ours {
			return fmt.Errorf("a container that is not ours has the name %s", found.Name)
		}
		_, err = r.api.ContainerRemove(ctx, found.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if err == nil || errdefs.IsNotFound(err) {
			return nil
		}
		if !errdefs.IsConflict(err) {
			return err
		}
		if !pause(ctx, lookAgain) {
			return errors.Join(ctx.Err(), err)
		}
	}
}

// pause reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
