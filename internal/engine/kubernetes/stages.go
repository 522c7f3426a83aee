package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/setops"
)

// apply is how we write: fields that are ours become what we say, whoever has changed them.
var apply = meta.ApplyOptions{FieldManager: object.Manager, Force: true}

// EnsureStage makes the stage's namespace and what stands in it.
func (e *Engine) EnsureStage(ctx context.Context, s setops.StageRef, fence int64) error {
	if err := e.ensureStage(ctx, s, fence); err != nil {
		return fmt.Errorf("make network of stage %s: %w", s.Name, err)
	}
	return nil
}

func (e *Engine) ensureStage(ctx context.Context, s setops.StageRef, fence int64) error {
	o := e.stageOf(s)
	err := e.admit(ctx, s.ID, o.Name(), fence)
	if kerrors.IsNotFound(err) {
		if err := e.makeNamespace(ctx, o); err != nil {
			return err
		}
		err = e.admit(ctx, s.ID, o.Name(), fence)
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.stages[s.ID] = s
	e.mu.Unlock()
	return e.applyStage(ctx, o)
}

// makeNamespace makes it where there is none. One of the same name that is being deleted is waited for: it is of a stage that was
// destroyed.
func (e *Engine) makeNamespace(ctx context.Context, o object.Stage) error {
	for {
		_, err := e.api.Core.Namespaces().Apply(ctx, o.Space(), meta.ApplyOptions{FieldManager: object.Manager})
		n, getErr := e.api.Core.Namespaces().Get(ctx, o.Name(), meta.GetOptions{})
		if err == nil && getErr == nil && n.DeletionTimestamp == nil {
			return nil
		}
		if getErr != nil || n.DeletionTimestamp == nil {
			return errors.Join(err, getErr)
		}
		if err := e.pause(ctx); err != nil {
			return stuck(n, err)
		}
	}
}

// pause waits a moment.
func (e *Engine) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-e.ctx.Done():
		return engine.ErrClosed
	case <-time.After(e.cfg.Timings.Retry / 5):
		return nil
	}
}

// stuckAfter is how long a namespace may take to go before somebody is told.
const stuckAfter = 2 * time.Minute

// stuck says why a namespace is not gone yet, to whoever waits for it.
func stuck(n *core.Namespace, err error) error {
	why := fmt.Sprintf("the namespace %s is being deleted by the cluster since %s", n.Name, n.DeletionTimestamp.UTC().Format(time.RFC3339))
	for _, c := range n.Status.Conditions {
		if c.Status == core.ConditionTrue && c.Message != "" {
			why += "; " + c.Message
		}
	}
	why += fmt.Sprintf("; see what keeps it with kubectl get namespace %s -o yaml, remove that, and try again", n.Name)
	return &setops.Error{Kind: setops.Fault, Code: setops.ServerFailure, Message: setops.Printable(why), Err: err}
}

func (e *Engine) applyStage(ctx context.Context, o object.Stage) error {
	if _, err := e.api.Core.Namespaces().Apply(ctx, o.Space(), apply); err != nil {
		return fmt.Errorf("write namespace: %w", err)
	}
	for _, p := range o.Policies() {
		if _, err := e.api.Networking.NetworkPolicies(o.Name()).Apply(ctx, p, apply); err != nil {
			return fmt.Errorf("write network policy: %w", err)
		}
	}
	return e.applyCredentials(ctx, o)
}

func (e *Engine) applyCredentials(ctx context.Context, o object.Stage) error {
	pull, err := o.Pull()
	if err != nil {
		return err
	}
	if _, err := e.api.Core.Secrets(o.Name()).Apply(ctx, pull, apply); err != nil {
		return fmt.Errorf("write credentials of the registry: %w", err)
	}
	return nil
}

// renewCredentials gives all stages those of now: those that they have may be of before a long pause.
func (e *Engine) renewCredentials(ctx context.Context) error {
	for _, s := range e.stageRefs() {
		if err := ignoreGone(e.applyCredentials(ctx, e.stageOf(s))); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) stageRefs() (all []setops.StageRef) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.stages {
		all = append(all, s)
	}
	return all
}
