package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	apps "k8s.io/api/apps/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// Ensure keeps g alive from now on.
func (e *Engine) Ensure(ctx context.Context, g engine.Generation) error {
	defer e.lockWriting(g.ID)()
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error { return e.declare(ctx, g) })
	if err != nil {
		return fmt.Errorf("keep generation %s: %w", g.ID, err)
	}
	return nil
}

// declare applies the objects of a generation, as what they are was just looked at.
func (e *Engine) declare(ctx context.Context, g engine.Generation) error {
	s := e.stageOf(g.Stage)
	have, err := e.api.Apps.Deployments(s.Name()).Get(ctx, object.Deployment(g.App, g.ID), meta.GetOptions{})
	isNew := kerrors.IsNotFound(err)
	switch {
	case isNew:
		have = nil
		if err := e.admit(ctx, g.Stage.ID, s.Name(), g.Fence); err != nil {
			return err
		}
		if !e.canRun(ctx, g) {
			return e.keep(g)
		}
	case err != nil:
		return err
	case outranks(have, g.Fence):
		return engine.ErrFenced
	default:
		g.Fence = max(g.Fence, fenceOf(have))
	}
	if err := e.keep(g); err != nil {
		return err
	}
	if have != nil {
		if err := e.chooseLeavers(ctx, g, have); err != nil {
			return err
		}
	}
	return e.applyGeneration(ctx, s, g, have)
}

// canRun reports whether a generation's image can run on any node. Where it cannot, nothing is made of it, and those who await it
// are told.
func (e *Engine) canRun(ctx context.Context, g engine.Generation) bool {
	var unfit *engine.GateError
	if err := e.Prepare(ctx, g.Container.Image); !errors.As(err, &unfit) || unfit.Fault {
		return true // what cannot be had now may be had when it is pulled
	}
	f := verdict.Failure{Check: unfit.Check, Cause: unfit.Cause, Final: true}
	e.mu.Lock()
	defer e.mu.Unlock()
	have := e.generationOf(g.ID, g.Stage, g.App)
	have.verdict = &judgement{Failure: f}
	have.miss = have.verdict
	return false
}

// keep notes what a generation is to be.
func (e *Engine) keep(g engine.Generation) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return engine.ErrClosed
	}
	have := e.generationOf(g.ID, g.Stage, g.App)
	if have.removing {
		return errors.New("it is being removed")
	}
	have.Generation, have.kept = g, true
	have.wake()
	for a := range have.attendants {
		select {
		case a.wake <- struct{}{}: // it looks at its checks again
		default:
		}
	}
	e.notify(g.Stage.ID)
	return nil
}

// applyGeneration writes the Deployment: without tasks at first, and with them once the secret is there, which it owns. So where a server
// dies meanwhile, nothing is left that the next one does not find.
func (e *Engine) applyGeneration(ctx context.Context, s object.Stage, g engine.Generation, have *apps.Deployment) error {
	var err error
	if s.Machines, err = e.machinesFor(ctx, g.Container.Image); err != nil {
		return err
	}
	if have == nil {
		empty := g
		empty.Scale = 0
		if have, err = e.api.Apps.Deployments(s.Name()).Apply(ctx, s.Generation(empty, e.cfg.Timings.Linger), apply); err != nil {
			return err
		}
	}
	if have.Spec.Replicas == nil || *have.Spec.Replicas == 0 {
		if err := e.applyEnvironment(ctx, s, g, have); err != nil {
			return err
		}
	}
	if _, err := e.api.Policy.PodDisruptionBudgets(s.Name()).Apply(ctx, s.Budget(g, have), apply); err != nil {
		return fmt.Errorf("write how many tasks may be taken at once: %w", err)
	}
	d := s.Generation(g, e.cfg.Timings.Linger)
	d.ResourceVersion, d.UID = have.ResourceVersion, have.UID
	made, err := e.api.Apps.Deployments(s.Name()).Apply(ctx, d, apply)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if kept := e.generations[g.ID]; kept != nil {
		kept.seen, kept.there = max(kept.seen, made.Generation), true
		kept.deployment, kept.wanted = trimDeployment(made), d.ObjectMeta
	}
	return nil
}

// applyEnvironment writes the secret of a generation, which goes with its Deployment.
func (e *Engine) applyEnvironment(ctx context.Context, s object.Stage, g engine.Generation, of *apps.Deployment) error {
	secret := s.Environment(g)
	secret.OwnerReferences = []meta.OwnerReference{object.OwnedBy(of)}
	if _, err := e.api.Core.Secrets(s.Name()).Apply(ctx, secret, apply); err != nil {
		return fmt.Errorf("write environment: %w", err)
	}
	return nil
}

// deletionCost says which pods a smaller scale takes first.
const deletionCost = "controller.kubernetes.io/pod-deletion-cost"

// chooseLeavers has the cluster take the tasks that are not RUNNING first, then the youngest.
func (e *Engine) chooseLeavers(ctx context.Context, g engine.Generation, have *apps.Deployment) error {
	if have.Spec.Replicas == nil || g.Scale >= int(*have.Spec.Replicas) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{deletionCost: "-1"}}})
	if err != nil {
		return fmt.Errorf("choose who leaves: %w", err)
	}
	for _, pod := range e.leavers(g) {
		_, err := e.api.Core.Pods(pod.namespace).Patch(ctx, pod.pod, types.MergePatchType, patch, meta.PatchOptions{FieldManager: object.Manager})
		if ignoreGone(err) != nil {
			return fmt.Errorf("choose who leaves: %w", err)
		}
	}
	return nil
}

func (e *Engine) leavers(g engine.Generation) (pods []facts) {
	e.mu.Lock()
	defer e.mu.Unlock()
	have := e.generations[g.ID]
	var active []*task
	for _, t := range have.tasks {
		if t.Desired == setops.Running && !t.Status.Ended() {
			active = append(active, t)
		}
	}
	slices.SortFunc(active, func(a, b *task) int {
		if (a.Status == setops.Running) != (b.Status == setops.Running) {
			if a.Status == setops.Running {
				return -1
			}
			return 1
		}
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, t := range active[min(g.Scale, len(active)):] {
		t.stopReason = verdict.ReasonScaled
		pods = append(pods, t.facts)
	}
	return pods
}
