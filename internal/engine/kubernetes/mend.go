package kubernetes

import (
	"context"
	"fmt"
	"time"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// mendLimit is how long mending one generation or one stage may take.
const mendLimit = 30 * time.Second

// requestMend has a generation looked at whose Deployment somebody else has changed. e.mu is held.
func (e *Engine) requestMend(g *generation) {
	if !g.kept || g.removing || e.closed {
		return
	}
	select {
	case e.drifted <- g.ID:
	default: // the regular look finds it
	}
}

// mend puts back what others have changed or deleted of our objects, until Close.
func (e *Engine) mend() {
	for {
		select {
		case <-e.ctx.Done():
			return
		case id := <-e.drifted:
			e.mendDrifted(id)
		case <-time.After(e.cfg.Timings.Mend):
			e.mendAll()
		}
	}
}

func (e *Engine) mendAll() {
	moved := e.mendNames()
	for _, s := range e.stageRefs() {
		ctx, cancel := context.WithTimeout(e.ctx, mendLimit)
		o, err := e.stageOf(ctx, s)
		if err == nil {
			err = e.applyStage(ctx, o)
		}
		if err == nil {
			err = e.mendServed(ctx, s)
		}
		cancel()
		if err != nil && e.ctx.Err() == nil {
			e.cfg.Logger.Warn("a stage may not be what it should be", "stage", s.ID, "error", err)
		}
	}
	e.mu.Lock()
	var ids []string
	for id, g := range e.generations {
		if g.kept && !g.removing {
			ids = append(ids, id)
		}
	}
	e.mu.Unlock()
	for _, id := range ids {
		e.mendGeneration(id, moved)
	}
}

// mendNames looks whether tasks are to ask another name server, which replaces them one by one.
func (e *Engine) mendNames() (moved bool) {
	ctx, cancel := context.WithTimeout(e.ctx, mendLimit)
	defer cancel()
	moved, err := e.findNames(ctx)
	if err != nil && e.ctx.Err() == nil {
		e.cfg.Logger.Warn("tasks go on asking the name server that they have", "error", err)
	}
	return moved
}

// mendDrifted mends a generation unless the change was our own: its news may come before the answer to who has written.
func (e *Engine) mendDrifted(id string) {
	e.lockWriting(id)()
	if !e.isAsWritten(id) {
		e.mendGeneration(id, false)
	}
}

// mendGeneration applies what a generation should be. It reports what that has changed, unless we mean something else from now on.
func (e *Engine) mendGeneration(id string, moved bool) {
	defer e.lockWriting(id)()
	want, seen, ok := e.toMend(id)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(e.ctx, mendLimit)
	defer cancel()
	var what string
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() (err error) {
		what, err = e.putBack(ctx, want, seen)
		return err
	})
	switch {
	case err != nil && e.ctx.Err() == nil:
		e.cfg.Logger.Warn("a generation may not be what it should be", "generation", id, "app", want.App, "error", err)
	case what != "" && !moved:
		e.cfg.Logger.Warn("somebody has "+what+" a generation; it was put back", "generation", id, "app", want.App)
	}
}

// toMend gives what a generation should be; false: it is not to be any more.
func (e *Engine) toMend(id string) (want engine.Generation, seen int64, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.generations[id]
	if g == nil || !g.kept || g.removing || e.gone[g.Stage.ID] {
		return want, 0, false
	}
	return g.Generation, g.seen, true
}

// isAsWritten reports whether nobody has touched a generation's Deployment since we have, as far as is known.
func (e *Engine) isAsWritten(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.generations[id]
	return g == nil || g.there && g.deployment.Generation <= g.seen
}

// putBack says what somebody had done to a generation; empty: nothing.
func (e *Engine) putBack(ctx context.Context, g engine.Generation, seen int64) (what string, err error) {
	s, err := e.stageOf(ctx, g.Stage)
	if err != nil {
		return "", err
	}
	have, err := e.api.Apps.Deployments(s.Name()).Get(ctx, object.Deployment(g.App, g.ID), meta.GetOptions{})
	switch {
	case kerrors.IsNotFound(err):
		return "deleted", e.applyGeneration(ctx, s, g, nil)
	case err != nil:
		return "", fmt.Errorf("look at a generation: %w", err)
	case outranks(have, g.Fence):
		return "", nil // it is somebody else's now
	}
	if _, err := e.api.Core.Secrets(s.Name()).Get(ctx, object.Environment(have.Name), meta.GetOptions{}); kerrors.IsNotFound(err) {
		if err := e.applyEnvironment(ctx, s, g, have); err != nil {
			return "", err
		}
		what = "deleted the environment of"
	}
	version := have.ResourceVersion
	if err := e.applyGeneration(ctx, s, g, have); err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := e.generations[g.ID]; now != nil && now.deployment.ResourceVersion != version && now.seen > seen {
		what = "changed"
	}
	return what, nil
}
