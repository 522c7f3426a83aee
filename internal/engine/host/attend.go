package host

import (
	"context"
	"reflect"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// attendance watches over one task from its start to its end. One goroutine runs its loop; what takes time (the wait for
// the exit, a run of a check) is done beside it and reported by a channel.
type attendance struct {
	s *Supervisor
	t *task

	exited chan struct{} // closed when exit is set
	exit   Exit

	settings settings
	began    time.Time // from when the start timeout counts

	health *verdict.Health // nil: no container health check
	gate   *gate           // nil: no network health check, or passed

	// Alarms of the loop; nil: not set.
	checkDue, probeDue, deadline, proven, limit <-chan time.Time
	checked                                     chan checkResult
	probed                                      chan error
	checking, probing                           bool

	ctx    context.Context // of checks; ends before the task is stopped
	beside sync.WaitGroup
}

// settings are those of the generation that may change while a task runs.
type settings struct {
	kept         bool
	health       *setops.HealthCheck
	network      *setops.NetworkCheck
	startTimeout time.Duration
}

// attend stays with a started task until it has ended, by itself or because it was stopped. It gives nil when the
// supervisor was closed.
func (s *Supervisor) attend(t *task) *end {
	a := &attendance{
		s: s, t: t, began: s.now(),
		exited: make(chan struct{}), checked: make(chan checkResult, 1), probed: make(chan error, 1),
	}
	life, cancel := context.WithCancel(s.ctx)
	defer a.beside.Wait()
	defer cancel()
	id := t.ID // the goroutine must not look at what this one changes
	a.beside.Go(func() { a.exit = s.waitExit(life, id); close(a.exited) })
	e, shut := a.loop(life)
	if !shut {
		return e
	}
	if e.failure != nil {
		s.giveUp(t, e)
	}
	return a.shut(life, e)
}

// giveUp lets those who await the generation know that t did not get ready, before it is shut down.
func (s *Supervisor) giveUp(t *task, e *end) {
	s.tell(t, e.reason)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doom(t, e.cause, 0, e.failure)
	s.changed(t)
}

// loop reports true when the task still runs and is to be shut down.
func (a *attendance) loop(life context.Context) (e *end, shut bool) {
	ctx, cancel := context.WithCancel(life)
	defer cancel()
	a.ctx = ctx
	if a.t.gen == nil {
		a.limit = time.After(a.t.limit - a.s.now().Sub(a.t.StartedAt))
	}
	a.adjust()
	for {
		if e := a.advance(); e != nil {
			return e, true
		}
		select {
		case <-a.s.ctx.Done():
			return nil, false
		case <-a.exited:
			return a.ended(), false
		case <-a.t.stop:
			return &end{reason: a.s.stopReason(a.t), told: true}, true
		case <-a.t.poke:
			a.adjust()
		case <-a.limit:
			return &end{reason: "stopped: it ran for its limit of " + a.t.limit.String(), told: true}, true
		case <-a.checkDue:
			a.check()
		case r := <-a.checked:
			a.judge(r)
		case <-a.probeDue:
			a.probe()
		case err := <-a.probed:
			a.answer(err)
		case <-a.proven: // advance looks
		case <-a.deadline:
			return a.late(), true
		}
	}
}

// ended makes an end of the exit of a task that nobody had told to end.
func (a *attendance) ended() *end {
	if a.exit.At.IsZero() && a.s.ctx.Err() != nil {
		return nil // it was not the task that ended
	}
	e := &end{reason: a.exit.Reason(a.t.memory), cause: a.exit.Cause(a.t.memory), exit: &a.exit}
	if a.t.Status != setops.Running {
		e.failure = a.exit.Failure(a.t.memory)
	}
	return e
}

// adjust takes over the settings of the generation, where they have changed.
func (a *attendance) adjust() {
	before := a.settings
	a.settings = a.s.settingsOf(a.t)
	if a.t.gen == nil || !a.settings.kept {
		return
	}
	if !before.kept || !reflect.DeepEqual(before.health, a.settings.health) {
		a.useHealth(a.settings.health)
	}
	if a.t.Status == setops.Running {
		return
	}
	if !before.kept || !reflect.DeepEqual(before.network, a.settings.network) {
		a.useGate(a.settings.network)
	}
	if before.startTimeout != a.settings.startTimeout {
		a.deadline = time.After(a.settings.startTimeout - a.s.now().Sub(a.began))
	}
}

// settingsOf reads what holds for a task now.
func (s *Supervisor) settingsOf(t *task) settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := t.gen
	if g == nil {
		return settings{}
	}
	if g.kept {
		t.stopTimeout = g.StopTimeout
	}
	return settings{kept: g.kept, health: g.HealthCheck, network: g.NetworkCheck, startTimeout: g.StartTimeout}
}

// advance makes the task RUNNING once nothing is left to wait for. It gives an end when a check has failed for good
// before.
func (a *attendance) advance() *end {
	if a.t.Status != setops.Activating {
		return nil
	}
	if a.t.gen != nil {
		if !a.settings.kept {
			return nil // adopted, and what it must pass is not known yet
		}
		if a.health != nil && a.health.Unhealthy() {
			return a.neverHealthy()
		}
		if a.health != nil && !a.health.Succeeded || a.gate != nil && !a.gate.passed {
			return nil
		}
		if a.health == nil && a.gate == nil && !a.isProven() {
			return nil
		}
	}
	a.deadline, a.proven = nil, nil
	a.s.status(a.t, setops.Running)
	return nil
}

// isProven reports whether a task without checks was up long enough, and has itself woken when it will be.
func (a *attendance) isProven() bool {
	left := a.s.cfg.Timings.ProvenAfter - a.s.now().Sub(a.began)
	if left <= 0 {
		return true
	}
	if a.proven == nil {
		a.proven = time.After(left)
	}
	return false
}

// waitExit waits for the container's end. A runtime that cannot tell is asked again, a few times.
func (s *Supervisor) waitExit(ctx context.Context, id string) Exit {
	const attempts = 5
	for range attempts {
		exit, err := s.cfg.Runtime.Wait(ctx, id)
		if err == nil {
			if exit.At.IsZero() {
				exit.At = s.now()
			}
			return exit
		}
		if ctx.Err() != nil {
			return Exit{}
		}
		s.cfg.Logger.Warn("a container's end cannot be waited for; it is tried again", "task", id, "error", err)
		sleep(ctx, s.cfg.Timings.Retry)
	}
	return Exit{Lost: true, At: s.now()}
}
