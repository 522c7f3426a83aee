package host

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/setops"
)

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
	network, err := verdict.NetworkProbe(g.NetworkCheck)
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
		err := verdict.Tries(ctx, verdict.NetworkTries, timings.ProbeMost, func() error {
			ctx, cancel := context.WithTimeout(ctx, timings.ProbeTimeout)
			defer cancel()
			return network.Probe(ctx, t.Address)
		})
		if err != nil {
			return s.unproven(ctx, g, t, verdict.CheckNetwork, err)
		}
	}
	if c := g.HealthCheck; c != nil {
		timeout := time.Duration(c.Timeout) * timings.CheckUnit
		err := verdict.Tries(ctx, max(c.Retries, 1), timings.CheckFirst, func() error { return s.runCheck(ctx, t.ID, c.Command, timeout) })
		if err != nil {
			return s.unproven(ctx, g, t, verdict.CheckContainer, err)
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
	if f := verdict.CheckFailed(command, code, output, err, timeout); f != nil {
		return f
	}
	return nil
}

// unproven says what the new check met. Nothing has changed by it.
func (s *Supervisor) unproven(ctx context.Context, g engine.Generation, t setops.Task, check string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	v := &judgement{Failure: verdict.Changed(check, err), taskID: t.ID}
	return s.gateError(ctx, g.Stage.ID, g.App, v)
}
