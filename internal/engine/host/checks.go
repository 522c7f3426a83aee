package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/setops"
)

// checkResult is what one run of the container health check gave.
type checkResult struct {
	began  time.Time
	health *health // the check that it was a run of
	code   int
	output []byte
	err    error
}

// useHealth begins with a check, or goes on with its verdict where only numbers have changed; nil ends it.
func (a *attendance) useHealth(c *setops.HealthCheck) {
	old := a.health
	if c == nil {
		a.health, a.checkDue = nil, nil
		a.setHealth(setops.Unknown)
		return
	}
	timings := a.s.cfg.Timings
	a.health = &health{check: *c, unit: timings.CheckUnit, first: timings.CheckFirst, start: a.t.StartedAt}
	switch {
	case old == nil && a.t.Health == setops.Healthy: // adopted
		a.health.succeeded = true
	case old != nil && slices.Equal(old.check.Command, c.Command):
		a.health.succeeded = old.succeeded
	case old != nil:
		a.setHealth(setops.Unknown)
	}
	a.checkDue = time.After(0)
	if a.health.succeeded {
		a.checkDue = time.After(a.health.interval())
	}
}

// check runs the command inside the container.
func (a *attendance) check() {
	if a.checking || a.health == nil {
		return
	}
	a.checking = true
	h := a.health
	ctx, id := a.ctx, a.t.ID
	a.beside.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, h.timeout())
		defer cancel()
		r := checkResult{began: time.Now(), health: h}
		r.code, r.output, r.err = a.s.cfg.Runtime.Exec(ctx, id, h.check.Command)
		if ctx.Err() != nil {
			r.err = ctx.Err() // killed by us: its exit code says nothing
		}
		a.checked <- r
	})
}

// judge takes the result in and sets the next run.
func (a *attendance) judge(r checkResult) {
	a.checking = false
	h := a.health
	if h == nil {
		return
	}
	if r.health != h { // the check was changed while this one ran
		a.checkDue = time.After(0)
		return
	}
	if errors.Is(r.err, context.Canceled) {
		return // the loop is about to end
	}
	if f := checkFailed(h.check.Command, r.code, r.output, r.err, h.timeout()); f == nil {
		h.pass()
		a.s.write(a.t, sourcePassed, "container health check passed")
		a.setHealth(setops.Healthy)
	} else {
		h.fail(a.s.now(), f)
		a.s.tell(a.t, "container health check failed: "+f.Error())
		if h.unhealthy() {
			a.setHealth(setops.Unhealthy)
		}
	}
	a.checkDue = time.After(max(0, h.pause()-time.Since(r.began)))
}

// setHealth notes a verdict and, where the task was RUNNING, has it replaced or kept.
func (a *attendance) setHealth(v setops.Health) {
	t, s := a.t, a.s
	dooms := v == setops.Unhealthy && t.Status == setops.Running && t.doomed == ""
	if t.Health == v && !dooms {
		return
	}
	if dooms {
		s.tell(t, a.health.why()+"; it will be replaced")
	}
	s.change(t, func(n *setops.Task) { n.Health = v }, func() {
		switch {
		case v != setops.Unhealthy:
			t.doomed = ""
		case dooms:
			s.doom(t, a.health.why(), s.now().Sub(t.StartedAt), nil)
		}
	})
}

// neverHealthy ends a task whose container health check failed too often before it had passed once.
func (a *attendance) neverHealthy() *end {
	f := &failure{check: checkContainer, cause: a.health.why(), last: a.health.last.answer, final: true}
	return &end{reason: f.cause, cause: f.cause, failure: f}
}

// firstLimit is how long the first probe may take. What is sent while a container's network is being made may get lost
// without a word, and shall not cost a start as much as a slow answer may take; each probe that gets none doubles it.
const firstLimit = time.Second

// gate is the network health check before its first success; the router's own checks follow it.
type gate struct {
	check  probe.Check
	passed bool
	pause  time.Duration
	limit  time.Duration // of one probe
	last   error         // what the last probe met
	asked  time.Time     // when the last probe began
}

// useGate begins with a network check; nil means there is none to pass.
func (a *attendance) useGate(c *setops.NetworkCheck) {
	a.gate, a.probeDue = nil, nil
	if c == nil {
		return
	}
	check, err := networkProbe(c)
	timings := a.s.cfg.Timings
	a.gate = &gate{check: check, pause: timings.ProbeFirst, limit: min(firstLimit, timings.ProbeTimeout), last: err}
	if err == nil {
		a.probeDue = time.After(0)
	}
}

// networkProbe is a network health check as package probe runs it; nil stays nil.
func networkProbe(c *setops.NetworkCheck) (probe.Check, error) {
	if c == nil {
		return nil, nil
	}
	if c.Protocol == setops.TCP {
		return probe.TCP{}, nil
	}
	status, err := probe.ParseStatus(c.Status)
	if err != nil {
		return nil, fmt.Errorf("network health check: %w", err)
	}
	return probe.HTTP{Path: c.Path, Status: status}, nil
}

// probe asks once.
func (a *attendance) probe() {
	if a.probing || a.gate == nil || a.gate.passed {
		return
	}
	a.probing = true
	a.gate.asked = time.Now()
	ctx, check, addr, limit := a.ctx, a.gate.check, a.t.Address, a.gate.limit
	a.beside.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		a.probed <- check.Probe(ctx, addr)
	})
}

// answer takes in what a probe met.
func (a *attendance) answer(err error) {
	a.probing = false
	g := a.gate
	if g == nil || g.passed {
		return
	}
	g.last, g.passed = err, err == nil
	if g.passed {
		return
	}
	var f *probe.Failure
	if errors.As(err, &f) && f.Kind == probe.KindTimeout {
		g.limit = min(2*g.limit, a.s.cfg.Timings.ProbeTimeout)
	}
	a.probeDue = time.After(g.pause)
	g.pause = min(g.pause*5/4, a.s.cfg.Timings.ProbeMost)
}

// late ends a task that did not pass its checks in time.
func (a *attendance) late() *end {
	f := &failure{check: checkStart, cause: "it was not ready", final: true}
	switch {
	case a.gate != nil && !a.gate.passed:
		f.check = checkNetwork
		f.cause, f.last = a.gateAnswer()
	case a.health != nil && !a.health.succeeded:
		f.check, f.cause = checkContainer, "it has not passed"
		if last := a.health.last; last != nil {
			f.cause, f.last = "it has not passed, the last time: "+last.Error(), last.answer
		}
	}
	f.cause = fmt.Sprintf("%s: %s (start timeout %s)", f.check, f.cause, a.settings.startTimeout)
	return &end{reason: f.cause, cause: f.cause, failure: f}
}

// silence is after how long a probe that is under way says more than the one before it.
const silence = 500 * time.Millisecond

// gateAnswer says what the last probe met and, for a refused connection, where the task listens instead.
func (a *attendance) gateAnswer() (cause string, last setops.LastAnswer) {
	if waits := time.Since(a.gate.asked); a.probing && (a.gate.last == nil || waits > silence) {
		last.ConnectError = fmt.Sprintf("%s was asked and has not answered for %s", a.t.Address, readable(waits))
		return last.ConnectError, last
	}
	if a.gate.last == nil {
		return "it was not asked", last
	}
	cause, last = a.gate.last.Error(), heard(a.gate.last)
	listener, able := a.s.cfg.Runtime.(Listener)
	if !able || !errors.Is(a.gate.last, syscall.ECONNREFUSED) {
		return cause, last
	}
	found, err := listener.Listening(a.ctx, a.t.ID)
	if err != nil {
		return cause, last
	}
	last.ListensOn = []string{}
	for _, address := range found {
		last.ListensOn = append(last.ListensOn, address.String())
	}
	return cause + listenHint(found, a.t.port), last
}
