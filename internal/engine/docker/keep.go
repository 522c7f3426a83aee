//go:build linux

package docker

import (
	"context"
	"time"

	"github.com/moby/moby/client"
)

// keep notices when Docker goes away and when it is back, until Close. A Docker that was started again has made its bridges
// anew: the gateways must be told.
func (r *Runtime) keep() {
	for r.ctx.Err() == nil {
		err := r.listen()
		if r.ctx.Err() != nil {
			return
		}
		r.cfg.Logger.Warn("Docker is away; what needs it is tried again until it is back", "host", r.api.DaemonHost(), "error", err)
		for ping(r.ctx, r.api) != nil {
			if !pause(r.ctx, knockAgain) {
				return
			}
		}
		r.cfg.Logger.Info("Docker is back", "host", r.api.DaemonHost())
		if err := r.reopen(r.ctx); err != nil {
			r.cfg.Logger.Warn("the networks of Docker could not be looked at", "error", err)
		}
	}
}

// comesBack is how long a Docker that is away is waited for before what needs it fails: it may be restarting, and each task
// that is not started has the next one wait longer.
const comesBack = 15 * time.Second

// patiently does something again while it fails because Docker is away, for a while.
func (r *Runtime) patiently(ctx context.Context, do func() error) error {
	err := do()
	for until := time.Now().Add(comesBack); client.IsErrConnectionFailed(err) && time.Now().Before(until); err = do() {
		if !pause(ctx, knockAgain) {
			return err
		}
	}
	return err
}

// listen returns when Docker goes away. What it has to say is of no interest: it is asked what matters.
func (r *Runtime) listen() error {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	events := r.api.Events(ctx, client.EventsListOptions{Filters: client.Filters{}.Add("type", "daemon")})
	for {
		select {
		case <-events.Messages:
		case err := <-events.Err:
			return err
		}
	}
}

// reopen serves names on every network that is there. A fault of one stage is no reason not to go on: EnsureNetwork tells
// it to whoever needs the stage.
func (r *Runtime) reopen(ctx context.Context) error {
	r.networking.Lock()
	defer r.networking.Unlock()
	all, err := r.networks(ctx)
	if err != nil {
		return err
	}
	for _, n := range all {
		if err := r.openGateway(ctx, n); err != nil {
			r.cfg.Logger.Warn("a stage's network has no gateway", "stage", n.Labels[labelStage], "error", err)
		}
	}
	return nil
}
