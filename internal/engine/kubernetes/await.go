package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/engine"
)

// Await waits until all tasks of the generation are RUNNING, or cannot be.
func (e *Engine) Await(ctx context.Context, id string) error {
	for {
		e.mu.Lock()
		g := e.generations[id]
		if g == nil || g.removing || !g.kept {
			e.mu.Unlock()
			return fmt.Errorf("await generation %s: it is not kept", id)
		}
		ready, v, miss, changed := g.serves(), g.verdict, g.miss, g.changed
		e.mu.Unlock()
		switch {
		case ready:
			return nil
		case v != nil:
			return e.gateError(ctx, g.Stage.ID, g.App, v)
		}
		select {
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return ctx.Err()
			}
			if miss == nil {
				miss = e.silent(g)
			}
			if miss != nil {
				return e.gateError(context.WithoutCancel(ctx), g.Stage.ID, g.App, miss)
			}
			return ctx.Err()
		case <-e.ctx.Done():
			return fmt.Errorf("await generation %s: %w", id, engine.ErrClosed)
		case <-changed:
		}
	}
}

// Observe lists the generations that are kept or were found.
func (e *Engine) Observe(context.Context) (engine.Observed, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var o engine.Observed
	for id := range e.stages {
		o.Stages = append(o.Stages, id)
	}
	for id, g := range e.generations {
		o.Generations = append(o.Generations, engine.ObservedGeneration{ID: id, StageID: g.Stage.ID, App: g.App, Kept: g.kept})
	}
	slices.Sort(o.Stages)
	slices.SortFunc(o.Generations, func(a, b engine.ObservedGeneration) int { return strings.Compare(a.ID, b.ID) })
	return o, nil
}
