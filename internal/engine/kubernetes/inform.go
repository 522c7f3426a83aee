package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/internal/setops"
)

// syncLimit is how long the first look at the cluster may take.
const syncLimit = time.Minute

// informer keeps what is ours of one kind.
func informer[L runtime.Object](e *Engine, api kube.Watched[L], of runtime.Object) (cache.SharedIndexInformer, error) {
	selector := labels.SelectorFromSet(object.Labels(e.cfg.Installation)).String()
	i := cache.NewSharedIndexInformer(kube.Select(patient[L]{e, api}, selector), of, 0, cache.Indexers{})
	err := i.SetTransform(trim)
	if err != nil {
		return nil, fmt.Errorf("follow the cluster: %w", err)
	}
	err = i.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		if e.ctx.Err() == nil {
			e.cfg.Logger.Warn("the cluster does not tell what happens; it is asked again", "error", err)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("follow the cluster: %w", err)
	}
	return i, nil
}

// patient lists and watches as soon as the cluster answers again.
type patient[L runtime.Object] struct {
	e   *Engine
	api kube.Watched[L]
}

func (p patient[L]) List(ctx context.Context, o meta.ListOptions) (L, error) {
	return patiently(ctx, p.e, func() (L, error) { return p.api.List(ctx, o) })
}

func (p patient[L]) Watch(ctx context.Context, o meta.ListOptions) (watch.Interface, error) {
	return patiently(ctx, p.e, func() (watch.Interface, error) { return p.api.Watch(ctx, o) })
}

// patiently asks until somebody answers, whatever that is. Left to itself the informer would wait for a minute between two
// questions, and a commit with it, when the cluster answers again.
func patiently[T any](ctx context.Context, e *Engine, ask func() (T, error)) (T, error) {
	for told := false; ; {
		got, err := ask()
		var answer kerrors.APIStatus
		if err == nil || errors.As(err, &answer) || ctx.Err() != nil {
			return got, err
		}
		if !told {
			e.cfg.Logger.Warn("the cluster does not answer; it is asked again", "error", err)
			told = true
		}
		if !e.sleep(e.cfg.Timings.Retry) {
			return got, err
		}
	}
}

// inform begins to follow the cluster and returns when all is known that is there.
func (e *Engine) inform(ctx context.Context) (err error) {
	if e.pods, err = informer(e, e.api.Core.Pods(""), &core.Pod{}); err != nil {
		return err
	}
	if e.deployments, err = informer(e, e.api.Apps.Deployments(""), &apps.Deployment{}); err != nil {
		return err
	}
	if e.namespaces, err = informer(e, e.api.Core.Namespaces(), &core.Namespace{}); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, syncLimit)
	defer cancel()
	var synced []cache.InformerSynced
	for _, i := range []cache.SharedIndexInformer{e.namespaces, e.deployments, e.pods} {
		e.wg.Go(func() { i.RunWithContext(e.ctx) })
		synced = append(synced, i.HasSynced)
	}
	if !cache.WaitForCacheSync(limited.Done(), synced...) {
		return errors.Join(ctx.Err(), fmt.Errorf("the cluster at %s did not tell within %s what is there", e.api.Config.Host, syncLimit))
	}
	return nil
}

// stageRef reads what a namespace's annotations say.
func stageRef(n *core.Namespace) setops.StageRef {
	return setops.StageRef{
		ID: n.Labels[object.LabelStage], Organization: n.Annotations[object.AnnotationOrganization],
		Project: n.Annotations[object.AnnotationProject], Name: n.Annotations[object.AnnotationStage],
	}
}

// seesNamespace keeps the stages that there are.
func (e *Engine) seesNamespace(n *core.Namespace, gone bool) {
	s := stageRef(n)
	e.mu.Lock()
	defer e.mu.Unlock()
	if gone || n.DeletionTimestamp != nil {
		delete(e.stages, s.ID)
		delete(e.leads, s.ID)
		return
	}
	e.stages[s.ID] = s
}
