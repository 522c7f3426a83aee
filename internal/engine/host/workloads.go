package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/verdict"
)

// Ensure keeps g alive from now on.
func (s *Supervisor) Ensure(_ context.Context, g engine.Generation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return fmt.Errorf("keep generation %s: %w", g.ID, engine.ErrClosed)
	}
	have := s.generations[g.ID]
	if have == nil {
		if err := s.admitLocked(g.Stage.ID, g.Fence); err != nil {
			return fmt.Errorf("keep generation %s: %w", g.ID, err)
		}
		have = newGeneration(g.ID, g.Stage, g.App)
		s.generations[g.ID] = have
	}
	if have.outranks(g.Fence) {
		return fmt.Errorf("keep generation %s: %w", g.ID, engine.ErrFenced)
	}
	if have.removing {
		return fmt.Errorf("keep generation %s: it is being removed", g.ID)
	}
	g.Fence = max(g.Fence, have.Fence)
	have.Generation = g
	have.kept = true
	for _, t := range have.tasks {
		select {
		case t.poke <- struct{}{}:
		default: // it will look anyway
		}
	}
	s.follow(have)
	s.notify(g.Stage.ID)
	return nil
}

// Await waits until all tasks of the generation are RUNNING, or cannot be.
func (s *Supervisor) Await(ctx context.Context, id string) error {
	for {
		s.mu.Lock()
		g := s.generations[id]
		if g == nil || g.removing || !g.kept {
			s.mu.Unlock()
			return fmt.Errorf("await generation %s: it is not kept", id)
		}
		ready, v, miss, changed := g.running() >= g.Scale, g.verdict, g.miss, g.changed
		s.mu.Unlock()
		switch {
		case ready:
			return nil
		case v != nil:
			return s.gateError(ctx, g.Stage.ID, g.App, v)
		}
		select {
		case <-ctx.Done():
			if miss != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return s.gateError(context.WithoutCancel(ctx), g.Stage.ID, g.App, miss)
			}
			return ctx.Err()
		case <-s.ctx.Done():
			return fmt.Errorf("await generation %s: %w", id, engine.ErrClosed)
		case <-changed:
		}
	}
}

func (s *Supervisor) gateError(ctx context.Context, stageID, app string, v *judgement) error {
	e := v.GateError(app, v.taskID)
	q := engine.LogQuery{StageID: stageID, App: app, TaskID: v.taskID, Limit: verdict.MostGateLines, Source: engine.SourceApp}
	err := s.ReadLogs(ctx, q, func(l engine.LogLine) bool {
		e.Log = append(e.Log, l.Text)
		return true
	})
	if err != nil {
		s.cfg.Logger.Warn("an error goes without its log", "task", v.taskID, "error", err)
	}
	return e
}

// Remove ends every task of the generation and forgets it.
func (s *Supervisor) Remove(ctx context.Context, id string, fence int64) error {
	s.mu.Lock()
	g := s.generations[id]
	if g != nil && g.outranks(fence) {
		s.mu.Unlock()
		return fmt.Errorf("remove generation %s: %w", id, engine.ErrFenced)
	}
	if g != nil {
		s.remove(g, verdict.ReasonRemoved)
	}
	s.mu.Unlock()
	for g != nil {
		s.mu.Lock()
		gone, changed := s.generations[id] != g, g.changed
		s.mu.Unlock()
		if gone {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return fmt.Errorf("remove generation %s: %w", id, engine.ErrClosed)
		case <-changed:
		}
	}
	return nil
}

// remove begins the removal. s.mu is held.
func (s *Supervisor) remove(g *generation, reason string) {
	g.removing, g.kept = true, false
	for _, t := range g.tasks {
		t.requestStop(reason)
	}
	s.follow(g)
}

// Observe lists the generations that are kept or were found.
func (s *Supervisor) Observe(ctx context.Context) (engine.Observed, error) {
	stages, err := s.cfg.Runtime.Networks(ctx)
	if err != nil {
		return engine.Observed{}, fmt.Errorf("list networks: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := engine.Observed{Stages: stages}
	for id, g := range s.generations {
		o.Generations = append(o.Generations, engine.ObservedGeneration{
			ID: id, StageID: g.Stage.ID, App: g.App, Kept: g.kept,
		})
	}
	slices.Sort(o.Stages)
	slices.SortFunc(o.Generations, func(a, b engine.ObservedGeneration) int { return strings.Compare(a.ID, b.ID) })
	return o, nil
}
