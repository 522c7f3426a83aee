package host

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/setops"
)

// networkTries is how often the router lets a check fail in a row before it takes a task out: who fails so often here
// would be out soon.
const networkTries = 3

// Prove asks the checks of g of the tasks that run, and changes nothing.
func (s *Supervisor) Prove(ctx context.Context, g engine.Generation) error {
	s.mu.Lock()
	have := s.generations[g.ID]
	if have == nil || !have.kept {
		s.mu.Unlock()
		return fmt.Errorf("prove generation %s: it is not kept", g.ID)
	}
	var running []setops.Task
	for _, t := range have.tasks {
		if t.active() && t.Status == setops.Running {
			running = append(running, t.Task)
		}
	}
	s.mu.Unlock()
	network, err := networkProbe(g.NetworkCheck)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, t := range running {
		group.Go(func() error { return s.prove(ctx, g, t, network) })
	}
	return group.Wait()
}

func (s *Supervisor) prove(ctx context.Context, g engine.Generation, t setops.Task, network probe.Check) error {
	timings := s.cfg.Timings
	if network != nil {
		err := tries(ctx, networkTries, timings.ProbeMost, func() error {
			ctx, cancel := context.WithTimeout(ctx, timings.ProbeTimeout)
			defer cancel()
			return network.Probe(ctx, t.Address)
		})
		if err != nil {
			return s.unproven(ctx, g, t, checkNetwork, err)
		}
	}
	if c := g.HealthCheck; c != nil {
		timeout := time.Duration(c.Timeout) * timings.CheckUnit
		err := tries(ctx, max(c.Retries, 1), timings.CheckFirst, func() error { return s.runCheck(ctx, t.ID, c.Command, timeout) })
		if err != nil {
			return s.unproven(ctx, g, t, checkContainer, err)
		}
	}
	return nil
}

func (s *Supervisor) runCheck(ctx context.Context, id string, command []string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	code, output, err := s.cfg.Runtime.Exec(ctx, id, command)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if f := checkFailed(command, code, output, err, timeout); f != nil {
		return f
	}
	return nil
}

// unproven says what the new check met. Nothing has changed by it.
func (s *Supervisor) unproven(ctx context.Context, g engine.Generation, t setops.Task, check string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	v := &verdict{failure: failure{
		check: check, cause: fmt.Sprintf("the tasks that serve now do not pass the changed %s: %s", check, err), last: answerOf(err), final: true,
	}, taskID: t.ID}
	return s.gateError(ctx, g.Stage.ID, g.App, v)
}

// tries calls f until it gives no error, at most n times with pauses between.
func tries(ctx context.Context, n int, pause time.Duration, f func() error) (err error) {
	for i := range n {
		if i > 0 {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err = f(); err == nil {
			return nil
		}
	}
	return err
}
