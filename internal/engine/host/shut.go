package host

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// shut ends a task that runs: DEACTIVATING, where it may have traffic, then STOPPING. It gives nil when the supervisor was
// closed before the end.
func (a *attendance) shut(ctx context.Context, e *end) *end {
	if a.t.Status == setops.Running || a.t.Status == setops.Deactivating {
		a.drain(ctx, e.reason)
	}
	if a.sleepUnlessEnded(ctx, 0) {
		a.kill(ctx, e.reason)
	}
	select {
	case <-a.exited:
		if a.exit.At.IsZero() {
			return nil // it was not the task that ended
		}
		e.exit = &a.exit
	default:
		if a.s.ctx.Err() != nil {
			return nil
		}
	}
	return e
}

// drain takes the task out of the routes and waits for its requests in flight.
func (a *attendance) drain(ctx context.Context, reason string) {
	a.proceed(setops.Deactivating, reason)
	if a.s.cfg.Drainer == nil || a.t.gen == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, a.s.cfg.Timings.Drain)
	defer cancel()
	drained := make(chan struct{})
	t := a.s.snapshot(a.t)
	a.beside.Go(func() {
		defer close(drained)
		if err := a.s.cfg.Drainer.Drain(ctx, t); err != nil && ctx.Err() == nil {
			a.s.cfg.Logger.Warn("a task was not drained", "task", t.ID, "error", err)
		}
	})
	select {
	case <-drained:
	case <-a.exited:
	}
	cancel()
	<-drained
}

// settling is how long a program may take to listen for signals. Until then the first process of a container is deaf to
// them: to one that was started just now SIGTERM is sent twice, or its end would take all of its stop timeout.
const settling = time.Second

// kill sends SIGTERM, and SIGKILL when that does not end the task in time.
func (a *attendance) kill(ctx context.Context, reason string) {
	a.proceed(setops.Stopping, reason)
	grace := a.t.stopTimeout
	a.askToEnd(ctx)
	if grace > settling && a.s.now().Sub(a.t.StartedAt) < settling {
		if !a.sleepUnlessEnded(ctx, settling) {
			return
		}
		grace -= settling
		a.askToEnd(ctx)
	}
	if !a.sleepUnlessEnded(ctx, grace) {
		return
	}
	a.s.tell(a.t, fmt.Sprintf("killed: it did not end within %s of SIGTERM", a.t.stopTimeout))
	a.signal(ctx, syscall.SIGKILL)
	a.sleepUnlessEnded(ctx, a.s.cfg.Timings.KillGrace)
}

// askToEnd tells a program that sits before a terminal as a closed terminal does too: shells that a person types into are deaf to SIGTERM.
func (a *attendance) askToEnd(ctx context.Context) {
	if a.t.console == consoleTerminal {
		a.signal(ctx, syscall.SIGHUP)
	}
	a.signal(ctx, syscall.SIGTERM)
}

func (a *attendance) proceed(to setops.TaskStatus, reason string) {
	a.s.change(a.t, func(n *setops.Task) { n.Status, n.Desired, n.Reason = to, setops.Stopped, reason }, nil)
}

func (a *attendance) signal(ctx context.Context, sig syscall.Signal) {
	if err := a.s.cfg.Runtime.Signal(ctx, a.t.ID, sig); err != nil && ctx.Err() == nil {
		a.s.cfg.Logger.Warn("a signal was not sent", "task", a.t.ID, "signal", sig, "error", err)
	}
}

// sleepUnlessEnded reports true when the time is over and the task still runs.
func (a *attendance) sleepUnlessEnded(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-a.exited:
		return false
	case <-ctx.Done():
		return false
	default:
	}
	select {
	case <-a.exited:
		return false
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
