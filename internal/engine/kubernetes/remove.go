package kubernetes

import (
	"context"
	"fmt"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// Remove ends every task of the generation and forgets it. Once begun it goes on, whether or not somebody waits.
func (e *Engine) Remove(ctx context.Context, id string, fence int64) error {
	e.mu.Lock()
	g := e.generations[id]
	e.mu.Unlock()
	if g == nil {
		return nil
	}
	name := object.Deployment(g.App, id)
	namespace := object.Namespace(e.cfg.Installation, g.Stage)
	d, err := e.api.Apps.Deployments(namespace).Get(ctx, name, meta.GetOptions{})
	switch {
	case err == nil && outranks(d, fence):
		return fmt.Errorf("remove generation %s: %w", id, engine.ErrFenced)
	case ignoreGone(err) != nil:
		return fmt.Errorf("remove generation %s: %w", id, err)
	}
	e.beginRemoval(g, verdict.ReasonRemoved, namespace, name, fence)
	return e.awaitGone(ctx, g)
}

// beginRemoval drains the tasks of a generation, then deletes its Deployment.
func (e *Engine) beginRemoval(g *generation, reason, namespace, name string, fence int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if g.removing || e.closed {
		return
	}
	g.removing, g.kept = true, false
	for a := range g.attendants {
		a.tell(reason)
	}
	g.wake()
	e.wg.Go(func() {
		if !e.awaitDrained(g) || !e.awaitUnrouted(g, namespace) || !e.awaitStreams(g) {
			return
		}
		for {
			err := e.deleteDeployment(g.ID, namespace, name, fence)
			if err == nil {
				return
			}
			if kerrors.IsNotFound(err) || err == engine.ErrFenced {
				e.keepsRunning(g, err)
				return
			}
			e.cfg.Logger.Warn("a generation could not be deleted; it is tried again", "generation", g.ID, "error", err)
			if !e.sleep(e.cfg.Timings.Retry) {
				return
			}
		}
	})
}

// keepsRunning takes the removal back where somebody with a newer lease has declared the generation meanwhile, and forgets it where
// it is gone.
func (e *Engine) keepsRunning(g *generation, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if kerrors.IsNotFound(err) {
		g.there = false
		e.forgetIfGone(g)
		return
	}
	g.removing = false
	g.wake()
}

func (e *Engine) deleteDeployment(id, namespace, name string, fence int64) error {
	defer e.lockWriting(id)()
	background := meta.DeletePropagationBackground
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		d, err := e.api.Apps.Deployments(namespace).Get(e.ctx, name, meta.GetOptions{})
		if err != nil {
			return err
		}
		if outranks(d, fence) {
			return engine.ErrFenced
		}
		return e.api.Apps.Deployments(namespace).Delete(e.ctx, name, meta.DeleteOptions{
			PropagationPolicy: &background,
			Preconditions:     &meta.Preconditions{UID: &d.UID, ResourceVersion: &d.ResourceVersion},
		})
	})
}

// awaitDrained returns when nothing is in flight to any task of g. It reports false when the engine was closed before.
func (e *Engine) awaitDrained(g *generation) bool {
	for {
		e.mu.Lock()
		busy, changed := false, g.changed
		for _, t := range g.tasks {
			busy = busy || !t.drained && !t.isOver() && t.Status != setops.Stopping
		}
		e.mu.Unlock()
		if !busy {
			return e.ctx.Err() == nil
		}
		select {
		case <-e.ctx.Done():
			return false
		case <-changed:
		}
	}
}

// awaitGone returns when nothing of a generation is left.
func (e *Engine) awaitGone(ctx context.Context, g *generation) error {
	for {
		e.mu.Lock()
		gone, kept, changed := e.generations[g.ID] != g, !g.removing, g.changed
		e.mu.Unlock()
		if gone {
			return nil
		}
		if kept {
			return fmt.Errorf("remove generation %s: %w", g.ID, engine.ErrFenced)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.ctx.Done():
			return fmt.Errorf("remove generation %s: %w", g.ID, engine.ErrClosed)
		case <-changed:
		}
	}
}
