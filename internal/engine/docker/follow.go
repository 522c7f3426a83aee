//go:build linux

package docker

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	containers "github.com/moby/moby/api/types/container"

	"github.com/setopsco/setops/internal/engine/logfile"
)

const (
	// settleLimit is how long Docker may take to end a log after its container has ended, before what is left of it is
	// fetched as it is.
	settleLimit = 5 * time.Second
	// farewellLimit is for the last lines of a container that was removed while it ran.
	farewellLimit = time.Second
)

var errUnfinished = errors.New("the log is fetched no further: the engine is being closed")

// follower carries what one container writes from Docker's log to ours, until the container has ended and all is there.
type follower struct {
	r         *Runtime
	container string // its name
	dir, name string // of our log
	terminal  bool   // it writes to one
	seed      maphash.Seed

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	whole  bool // all is there; to be read once done is closed

	end   chan struct{} // closed when the container has ended
	ended sync.Once
}

// follow begins to follow. r.mu is held.
func (r *Runtime) follow(id string, c *container, config *containers.Config) {
	labels := config.Labels
	f := &follower{
		r: r, container: r.name(id), dir: r.logDir(labels[labelLogDir]), name: labels[labelLogName], terminal: config.Tty, seed: maphash.MakeSeed(),
		done: make(chan struct{}), end: make(chan struct{}),
	}
	f.ctx, f.cancel = context.WithCancel(r.ctx)
	c.log = f
	r.beside.Go(f.run)
}

// wait, called when the container has ended, returns when its log is complete.
func (f *follower) wait(ctx context.Context) error {
	f.ended.Do(func() { close(f.end) })
	select {
	case <-f.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !f.whole {
		return errUnfinished
	}
	return nil
}

// stop ends the following, after the last lines where they come soon.
func (f *follower) stop() {
	select {
	case <-f.done:
	case <-time.After(farewellLimit):
	}
	f.cancel()
	<-f.done
}

func (f *follower) run() {
	defer f.cancel()
	defer close(f.done)
	for f.ctx.Err() == nil {
		ended, err := f.carry()
		if ended {
			f.whole = true
			return
		}
		if err != nil && f.ctx.Err() == nil {
			f.r.cfg.Logger.Debug("a log breaks off; it is gone on with", "container", f.container, "error", err)
		}
		if !pause(f.ctx, knockAgain) {
			return
		}
	}
}

// carry goes on where our log ends. It reports true when the container has ended and nothing is left to be carried.
func (f *follower) carry() (ended bool, err error) {
	log, err := logfile.Open(f.dir, f.name, logfile.Options{})
	if err != nil {
		return false, err
	}
	defer log.Close() //nolint:errcheck // every line was written by then
	s := &sink{log: log}
	defer s.admit()
	err = f.followUntilEnd(s)
	if err == nil {
		ended, err = f.isOver()
	}
	if err == nil && ended {
		err = f.copy(f.ctx, s, false) // Docker 20.10 ends what it is asked to follow where its file was full
	}
	if errdefs.IsNotFound(err) {
		return true, nil
	}
	return ended && err == nil, err
}

// followUntilEnd gives Docker a while to end the log of a container that has ended, and then waits no more.
func (f *follower) followUntilEnd(s *sink) error {
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	late := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-f.end:
			if pause(ctx, settleLimit) {
				close(late)
				cancel()
			}
		case <-ctx.Done():
		}
	}()
	err := f.copy(ctx, s, true)
	cancel()
	<-watched
	select {
	case <-late:
		return nil
	default:
		return err
	}
}

// isOver tells a log that ended with its container from one that Docker broke off.
func (f *follower) isOver() (bool, error) {
	for {
		one, err := f.r.inspectNamed(f.ctx, f.container)
		switch {
		case errdefs.IsNotFound(err):
			return true, nil
		case err != nil:
			return false, fmt.Errorf("look whether %s has ended: %w", f.container, err)
		case !one.State.Running:
			return true, nil
		}
		select {
		case <-f.end:
			if !pause(f.ctx, lookAgain) { // it has ended: Docker is about to say so
				return false, f.ctx.Err()
			}
		default:
			return false, nil
		}
	}
}
