package kubernetes

import (
	"context"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/engine/tasklog"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/setops"
)

// checks are those of the newest task of a pod until they have passed once; from then on they are the cluster's alone. We run
// them too as the cluster does not say what exactly was answered, and asks for less than a network health check wants.
type checks struct {
	a       *attendant
	ctx     context.Context
	of      *task
	health  *verdict.Health
	network probe.Check
	last    error // what the last probe met
	passed  bool  // the network health check
	running bool
	asked   time.Time // when the last run began
	timer   <-chan time.Time
	late    <-chan time.Time
	results chan checked
}

// checked is what one run of both checks gave.
type checked struct {
	of      *task
	failed  *verdict.CheckFailure
	network error
	ran     bool // the container health check
	err     error
}

func newChecks(ctx context.Context, a *attendant) *checks {
	return &checks{a: a, ctx: ctx, results: make(chan checked, 1)}
}

func (c *checks) due() <-chan time.Time { return c.timer }

// attend begins with the checks of a task, or goes on with others where its generation has changed them.
func (c *checks) attend(t *task) {
	g := c.a.e.settings(t)
	if c.of == t || g == nil || t.Status != setops.Activating {
		return
	}
	c.of, c.health, c.last, c.passed = t, nil, nil, g.NetworkCheck == nil
	c.network, c.last = verdict.NetworkProbe(g.NetworkCheck)
	if h := g.HealthCheck; h != nil {
		c.health = &verdict.Health{Check: *h, Unit: time.Second, First: c.a.e.cfg.Timings.Check, Start: t.StartedAt}
	}
	c.timer = time.After(0)
	c.late = time.After(g.StartTimeout - time.Since(t.StartedAt))
}

// run asks once, beside the loop.
func (c *checks) run() {
	c.timer = nil
	t := c.of
	if c.running || t == nil || t.isOver() || t.Status != setops.Activating {
		return
	}
	c.running, c.asked = true, time.Now()
	var command []string
	var timeout time.Duration
	if c.health != nil && !c.health.Succeeded {
		command, timeout = c.health.Check.Command, c.health.Timeout()
	}
	network := c.network
	if c.passed {
		network = nil
	}
	at := t.Address
	c.a.beside.Go(func() {
		r := checked{of: t}
		if network != nil {
			r.network = probeOnce(c.ctx, network, at)
		}
		if len(command) > 0 {
			r.ran = true
			r.failed, r.err = c.a.e.checkInside(c.ctx, t.namespace, t.pod, command, timeout)
		}
		c.results <- r
	})
}

// probeTimeout is for one answer.
const probeTimeout = 5 * time.Second

func probeOnce(ctx context.Context, p probe.Check, at string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return p.Probe(ctx, at)
}

// checkInside runs a container health check once. An error is none of the check.
func (e *Engine) checkInside(ctx context.Context, namespace, pod string, command []string, timeout time.Duration) (*verdict.CheckFailure, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	code, output, err := e.execOutput(limited, namespace, pod, command)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if limited.Err() != nil {
		err = limited.Err()
	}
	return verdict.CheckFailed(command, code, output, err, timeout), nil
}

// judge takes in what was answered and sets the next run.
func (c *checks) judge(r checked) {
	c.running = false
	if r.of != c.of || r.of.isOver() || r.err != nil || r.of.Status != setops.Activating {
		c.timer = time.After(c.a.e.cfg.Timings.Check)
		return
	}
	if !c.passed {
		c.last, c.passed = r.network, r.network == nil
	}
	if r.ran {
		c.judgeHealth(r)
	}
	if !c.passed || c.health != nil && !c.health.Succeeded {
		c.timer = time.After(c.a.e.cfg.Timings.Check)
	}
}

func (c *checks) judgeHealth(r checked) {
	e, t := c.a.e, c.of
	if r.failed == nil {
		c.health.Pass()
		e.write(t, time.Now(), tasklog.SourcePassed, "container health check passed")
		return
	}
	c.health.Fail(time.Now(), r.failed)
	e.tell(t, "container health check failed: "+r.failed.Error())
	if c.health.Unhealthy() {
		c.a.blame(t, &verdict.Failure{
			Check: verdict.CheckContainer, Cause: c.health.Why(), Last: c.health.Last.Answer, Final: true,
		})
	}
}

func (c *checks) lastOf(t *task) *verdict.CheckFailure {
	if c.of != t || c.health == nil {
		return nil
	}
	return c.health.Last
}

// pass reports whether nothing is left to wait for but the cluster's own opinion.
func (c *checks) pass() bool {
	return c.passed && (c.health == nil || c.health.Succeeded)
}

// silence is after how long a probe that is under way says more than the one before it.
const silence = 500 * time.Millisecond

// answer says what the last probe met.
func (c *checks) answer() (cause string, last setops.LastAnswer) {
	if waits := time.Since(c.asked); c.running && (c.last == nil || waits > silence) {
		last.ConnectError = fmt.Sprintf("%s was asked and has not answered for %s", c.of.Address, verdict.Readable(waits))
		return last.ConnectError, last
	}
	if c.last == nil {
		return "it was not asked", last
	}
	return c.last.Error(), verdict.Heard(c.last)
}

// lateness says what a task has not passed in time.
func (c *checks) lateness(timeout time.Duration) *verdict.Failure {
	f := &verdict.Failure{Check: verdict.CheckStart, Cause: "the cluster does not say that it is ready", Final: true}
	switch {
	case !c.passed:
		f.Check = verdict.CheckNetwork
		f.Cause, f.Last = c.answer()
	case c.health != nil && !c.health.Succeeded:
		f.Check, f.Cause = verdict.CheckContainer, "it has not passed"
		if c.health.Last != nil {
			f.Cause, f.Last = "it has not passed, the last time: "+c.health.Last.Error(), c.health.Last.Answer
		}
	}
	f.Cause = fmt.Sprintf("%s: %s (start timeout %s)", f.Check, f.Cause, timeout)
	return f
}
