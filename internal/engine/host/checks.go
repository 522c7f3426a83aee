package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/engine/tasklog"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/setops"
)

// checkResult is what one run of the container health check gave.
type checkResult struct {
	began  time.Time
	health *verdict.Health // the check that it was a run of
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
	a.health = &verdict.Health{Check: *c, Unit: timings.CheckUnit, First: timings.CheckFirst, Start: a.t.StartedAt}
	switch {
	case old == nil && a.t.Health == setops.Healthy: // adopted
		a.health.Succeeded = true
	case old != nil && slices.Equal(old.Check.Command, c.Command):
		a.health.Succeeded = old.Succeeded
	case old != nil:
		a.setHealth(setops.Unknown)
	}
	a.checkDue = time.After(0)
	if a.health.Succeeded {
		a.checkDue = time.After(a.health.Interval())
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
		ctx, cancel := context.WithTimeout(ctx, h.Timeout())
		defer cancel()
		r := checkResult{began: time.Now(), health: h}
		r.code, r.output, r.err = a.s.cfg.Runtime.Exec(ctx, id, h.Check.Command)
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
	if f := verdict.CheckFailed(h.Check.Command, r.code, r.output, r.err, h.Timeout()); f == nil {
		h.Pass()
		a.s.write(a.t, tasklog.SourcePassed, "container health check passed")
		a.setHealth(setops.Healthy)
	} else {
		h.Fail(a.s.now(), f)
		a.s.tell(a.t, "container health check failed: "+f.Error())
		if h.Unhealthy() {
			a.setHealth(setops.Unhealthy)
		}
	}
	a.checkDue = time.After(max(0, h.Pause()-time.Since(r.began)))
}

// setHealth notes a verdict and, where the task was RUNNING, has it replaced or kept.
func (a *attendance) setHealth(v setops.Health) {
	t, s := a.t, a.s
	dooms := v == setops.Unhealthy && t.Status == setops.Running && t.doomed == ""
	if t.Health == v && !dooms {
		return
	}
	if dooms {
		s.tell(t, a.health.Why()+"; it will be replaced")
	}
	s.change(t, func(n *setops.Task) { n.Health = v }, func() {
		switch {
		case v != setops.Unhealthy:
			t.doomed = ""
		case dooms:
			s.doom(t, a.health.Why(), s.now().Sub(t.StartedAt), nil)
		}
	})
}

// neverHealthy ends a task whose container health check failed too often before it had passed once.
func (a *attendance) neverHealthy() *end {
	f := &verdict.Failure{Check: verdict.CheckContainer, Cause: a.health.Why(), Last: a.health.Last.Answer, Final: true}
	return &end{reason: f.Cause, cause: f.Cause, failure: f}
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
	check, err := verdict.NetworkProbe(c)
	timings := a.s.cfg.Timings
	a.gate = &gate{check: check, pause: timings.ProbeFirst, limit: min(firstLimit, timings.ProbeTimeout), last: err}
	if err == nil {
		a.probeDue = time.After(0)
	}
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
	f := &verdict.Failure{Check: verdict.CheckStart, Cause: "it was not ready", Final: true}
	switch {
	case a.gate != nil && !a.gate.passed:
		f.Check = verdict.CheckNetwork
		f.Cause, f.Last = a.gateAnswer()
	case a.health != nil && !a.health.Succeeded:
		f.Check, f.Cause = verdict.CheckContainer, "it has not passed"
		if last := a.health.Last; last != nil {
			f.Cause, f.Last = "it has not passed, the last time: "+last.Error(), last.Answer
		}
	}
	f.Cause = fmt.Sprintf("%s: %s (start timeout %s)", f.Check, f.Cause, a.settings.startTimeout)
	return &end{reason: f.Cause, cause: f.Cause, failure: f}
}

// silence is after how long a probe that is under way says more than the one before it.
const silence = 500 * time.Millisecond

// gateAnswer says what the last probe met and, for a refused connection, where the task listens instead.
func (a *attendance) gateAnswer() (cause string, last setops.LastAnswer) {
	if waits := time.Since(a.gate.asked); a.probing && (a.gate.last == nil || waits > silence) {
		last.ConnectError = fmt.Sprintf("%s was asked and has not answered for %s", a.t.Address, verdict.Readable(waits))
		return last.ConnectError, last
	}
	if a.gate.last == nil {
		return "it was not asked", last
	}
	cause, last = a.gate.last.Error(), verdict.Heard(a.gate.last)
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
