package kubernetes

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
func (e *Engine) Prove(ctx context.Context, g engine.Generation) error {
	e.mu.Lock()
	have := e.generations[g.ID]
	if have == nil || !have.kept {
		e.mu.Unlock()
		return fmt.Errorf("prove generation %s: it is not kept", g.ID)
	}
	type serving struct {
		setops.Task
		facts
	}
	var running []serving
	for _, t := range have.tasks {
		if t.Status == setops.Running && t.Desired == setops.Running {
			running = append(running, serving{t.Task, t.facts})
		}
	}
	e.mu.Unlock()
	network, err := verdict.NetworkProbe(g.NetworkCheck)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, t := range running {
		group.Go(func() error { return e.prove(ctx, g, t.Task, t.facts, network) })
	}
	return group.Wait()
}

func (e *Engine) prove(ctx context.Context, g engine.Generation, t setops.Task, f facts, network probe.Check) error {
	if network != nil {
		err := verdict.Tries(ctx, verdict.NetworkTries, e.cfg.Timings.Check, func() error { return probeOnce(ctx, network, t.Address) })
		if err != nil {
			return e.unproven(ctx, g, t, verdict.CheckNetwork, err)
		}
	}
	if c := g.HealthCheck; c != nil {
		err := verdict.Tries(ctx, max(c.Retries, 1), e.cfg.Timings.Check, func() error {
			failed, err := e.checkInside(ctx, f.namespace, f.pod, c.Command, time.Duration(c.Timeout)*time.Second)
			if failed != nil {
				return failed
			}
			return err
		})
		if err != nil {
			return e.unproven(ctx, g, t, verdict.CheckContainer, err)
		}
	}
	return nil
}

// unproven says what the new check met. Nothing has changed by it.
func (e *Engine) unproven(ctx context.Context, g engine.Generation, t setops.Task, check string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return e.gateError(ctx, g.Stage.ID, g.App, &judgement{Failure: verdict.Changed(check, err), taskID: t.ID})
}
