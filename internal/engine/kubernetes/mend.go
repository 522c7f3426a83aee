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
	"github.com/setopsco/setops/internal/setops"
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

// mend puts back what others have changed or deleted of our Deployments, as soon as the cluster tells, until Close.
func (e *Engine) mend() {
	for {
		select {
		case <-e.ctx.Done():
			return
		case id := <-e.drifted:
			e.mendDrifted(id)
		}
	}
}

// mendRegularly looks at everything from time to time, until Close.
func (e *Engine) mendRegularly() {
	for e.mendAll() {
	}
}

// mendAll applies what is the stages', of which the cluster tells nothing. It takes its time: nobody waits for it, and thousands of
// requests at once would keep a commit waiting. Of generations it asks only where it is known that they are not what they should be. It
// reports false when the engine was closed.
func (e *Engine) mendAll() bool {
	stages := e.stageRefs()
	pause := e.cfg.Timings.Mend / time.Duration(len(stages)+1)
	for _, s := range stages {
		if !e.sleep(pause) {
			return false
		}
		e.mendStage(s)
	}
	if !e.sleep(pause) {
		return false
	}
	moved := e.mendNames()
	e.mu.Lock()
	var ids []string
	for id, g := range e.generations {
		if g.kept && !g.removing {
			g.suspect = g.suspect || moved
			ids = append(ids, id)
		}
	}
	e.mu.Unlock()
	for _, id := range ids {
		if !e.isAsWritten(id) {
			e.mendGeneration(id, moved)
		}
	}
	return true
}

// mendStage applies what is a stage's, unless it was removed meanwhile.
func (e *Engine) mendStage(s setops.StageRef) {
	e.mu.Lock()
	_, there := e.stages[s.ID]
	there = there && !e.gone[s.ID]
	e.mu.Unlock()
	if !there {
		return
	}
	ctx, cancel := context.WithTimeout(e.ctx, mendLimit)
	defer cancel()
	err := e.applyStage(ctx, e.stageOf(s))
	if err == nil {
		err = e.mendServed(ctx, s)
	}
	if err != nil && e.ctx.Err() == nil {
		e.cfg.Logger.Warn("a stage may not be what it should be", "stage", s.ID, "error", err)
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

// findBereft has the environment of a generation looked at, as a task has not found it: the cluster does not tell that one is deleted.
func (e *Engine) findBereft(g *generation) {
	if g == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	g.suspect = true
	e.requestMend(g)
}

// suspect has a generation looked at with the next regular look.
func (e *Engine) suspect(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if g := e.generations[id]; g != nil {
		g.suspect = true
	}
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
		e.suspect(id)
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
	g.suspect = false
	return g.Generation, g.seen, true
}

// isAsWritten reports whether nobody has touched a generation since we have, as far as is known.
func (e *Engine) isAsWritten(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.generations[id]
	return g == nil || g.there && g.deployment.Generation <= g.seen && !g.suspect &&
		has(g.deployment.Labels, g.wanted.Labels) && has(g.deployment.Annotations, g.wanted.Annotations)
}

// has reports whether all of ours is there as it was written.
func has(there, ours map[string]string) bool {
	for key, value := range ours {
		if object.Named(key) && there[key] != value {
			return false
		}
	}
	return true
}

// putBack says what somebody had done to a generation; empty: nothing.
func (e *Engine) putBack(ctx context.Context, g engine.Generation, seen int64) (what string, err error) {
	s := e.stageOf(g.Stage)
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
