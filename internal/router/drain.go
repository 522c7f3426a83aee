package router

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Drain waits until nothing is in flight to an upstream that a Set has removed. It returns at once for one that
// is idle or unknown, and ErrRouted for one that is in the table, or gets back into it while Drain waits.
//
// When the deadline of ctx passes, upgraded connections (WebSockets) and streams are closed, ordinary requests are left to
// end as they may, and the error wraps context.DeadlineExceeded. A ctx that is cancelled closes nothing.
func (r *Router) Drain(ctx context.Context, upstreamID string) error {
	u := r.find(upstreamID)
	if u == nil {
		return nil
	}
	for {
		change := u.change()
		switch {
		case !u.retired.Load():
			return fmt.Errorf("drain %s: %w", upstreamID, ErrRouted)
		case u.inFlight.Load() == 0:
			r.forget(u)
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return r.giveUp(ctx, u)
		}
	}
}

func (r *Router) giveUp(ctx context.Context, u *upstream) error {
	remaining := u.inFlight.Load()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		u.closeTunnels()
	}
	return fmt.Errorf("drain %s with %d requests in flight: %w", u.id, remaining, ctx.Err())
}

// InFlight is how many requests an upstream is answering now, upgraded connections and streams included.
func (r *Router) InFlight(upstreamID string) int {
	u := r.find(upstreamID)
	if u == nil {
		return 0
	}
	return int(u.inFlight.Load())
}

func (r *Router) find(upstreamID string) *upstream {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.upstreams[upstreamID]
}

// hold lets closeTunnels find what outlives a request's answer.
func (u *upstream) hold(c io.Closer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.tunnels == nil {
		u.tunnels = map[io.Closer]struct{}{}
	}
	u.tunnels[c] = struct{}{}
}

// release undoes hold and closes what was held, if nobody has done so.
func (u *upstream) release(c io.Closer) {
	u.mu.Lock()
	delete(u.tunnels, c)
	u.mu.Unlock()
	_ = c.Close() // the one who copied has closed it already, except where an upgrade was refused
}

func (u *upstream) closeTunnels() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.tunnels {
		_ = c.Close() // whoever copies finds it closed and ends
	}
}
