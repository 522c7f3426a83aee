package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// RemoveStage stops every task of the stage and removes all that it had.
func (e *Engine) RemoveStage(ctx context.Context, stageID string) error {
	e.mu.Lock()
	e.gone[stageID] = true
	s, known := e.stages[stageID]
	e.mu.Unlock()
	if !known {
		s, known = e.beingDeleted(stageID)
	}
	if known {
		namespace := object.Namespace(e.cfg.Installation, s)
		if err := e.end(ctx, s, "", verdict.ReasonStage); err != nil {
			return fmt.Errorf("remove stage %s: %w", s.Name, err)
		}
		if err := e.deleteNamespace(ctx, stageID, namespace); err != nil {
			return fmt.Errorf("remove stage %s: %w", s.Name, err)
		}
	}
	return errors.Join(e.forget(stageID, ""), e.logs.Remove(stageID, ""))
}

// beingDeleted finds a stage whose namespace the cluster is deleting: at the second attempt, or where somebody else began it.
func (e *Engine) beingDeleted(stageID string) (s setops.StageRef, found bool) {
	for _, one := range e.namespaces.GetStore().List() {
		if n, ok := one.(*core.Namespace); ok && n.Labels[object.LabelStage] == stageID {
			return stageRef(n), true
		}
	}
	return s, false
}

// errStuck is for our own log.
var errStuck = errors.New("the namespace does not go")

// deleteNamespace returns when it is gone, or when the cluster does not get rid of it.
func (e *Engine) deleteNamespace(ctx context.Context, stageID, namespace string) error {
	began := time.Now()
	for {
		n, err := e.api.Core.Namespaces().Get(ctx, namespace, meta.GetOptions{})
		if kerrors.IsNotFound(err) || err == nil && n.Labels[object.LabelStage] != stageID {
			e.mu.Lock()
			defer e.mu.Unlock()
			delete(e.stages, stageID)
			delete(e.leads, stageID)
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case n.DeletionTimestamp == nil:
			err := e.api.Core.Namespaces().Delete(ctx, namespace, meta.DeleteOptions{Preconditions: meta.NewUIDPreconditions(string(n.UID))})
			if ignoreGone(err) != nil {
				return err
			}
		case time.Since(began) > stuckAfter:
			return stuck(n, errStuck)
		}
		if err := e.pause(ctx); err != nil && n.DeletionTimestamp != nil {
			return stuck(n, err)
		} else if err != nil {
			return err
		}
	}
}

// RemoveApp removes the logs and records of an app, and the one-off tasks that it may still have.
func (e *Engine) RemoveApp(ctx context.Context, stageID, app string, fence int64) error {
	e.mu.Lock()
	s := e.stages[stageID]
	newer := false
	for _, g := range e.generations {
		newer = newer || g.Stage.ID == stageID && g.App == app && g.deployment != nil && outranks(g.deployment, fence)
	}
	e.mu.Unlock()
	if newer {
		return fmt.Errorf("remove app %s: %w", app, engine.ErrFenced)
	}
	if err := e.end(ctx, s, app, verdict.ReasonApp); err != nil {
		return fmt.Errorf("remove app %s: %w", app, err)
	}
	return errors.Join(e.forget(stageID, app), e.logs.Remove(stageID, app))
}

// end stops all tasks of a stage, or of an app of it, and waits until they have ended.
func (e *Engine) end(ctx context.Context, s setops.StageRef, app, reason string) error {
	generations, ending := e.ofApp(s.ID, app)
	namespace := object.Namespace(e.cfg.Installation, s)
	for _, g := range generations {
		e.beginRemoval(g, reason, namespace, object.Deployment(g.App, g.ID), 0)
	}
	for _, id := range ending {
		e.tellTask(id, reason)
	}
	for _, g := range generations {
		if err := e.awaitGone(ctx, g); err != nil {
			return err
		}
	}
	for _, id := range ending {
		if _, err := e.Wait(ctx, id); err != nil && !setops.IsCode(err, setops.TaskDoesNotExist) {
			return err
		}
	}
	return e.deleteJobs(ctx, namespace, app)
}

// deleteJobs removes the Jobs of one-off tasks, and with them their pods.
func (e *Engine) deleteJobs(ctx context.Context, namespace, app string) error {
	selected := object.Labels(e.cfg.Installation)
	if app != "" {
		selected[object.LabelApp] = app
	}
	background := meta.DeletePropagationBackground
	err := e.api.Batch.Jobs(namespace).DeleteCollection(ctx, meta.DeleteOptions{PropagationPolicy: &background},
		meta.ListOptions{LabelSelector: labels.SelectorFromSet(selected).String()})
	return ignoreGone(err)
}

// ofApp gives the generations and the tasks of a stage, or of an app of it.
func (e *Engine) ofApp(stageID, app string) (generations []*generation, tasks []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, g := range e.generations {
		if g.Stage.ID == stageID && (app == "" || g.App == app) {
			generations = append(generations, g)
		}
	}
	for _, t := range e.onStage[stageID] {
		if app == "" || t.App == app {
			tasks = append(tasks, t.ID)
		}
	}
	return generations, tasks
}

// forget drops ended tasks.
func (e *Engine) forget(stageID, app string) error {
	e.mu.Lock()
	var ended []string
	for id, t := range e.onStage[stageID] {
		if (app == "" || t.App == app) && t.Status == setops.Stopped {
			ended = append(ended, id)
			e.drop(t)
		}
	}
	e.notify(stageID)
	e.mu.Unlock()
	var errs []error
	for _, id := range ended {
		errs = append(errs, e.records.Remove(id))
	}
	return errors.Join(errs...)
}
