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
	"github.com/setopsco/setops/internal/setops"
)

// syncLimit is how long the first look at the cluster may take.
const syncLimit = time.Minute

// list is one kind of our objects, as the API lists and watches them.
type list[T runtime.Object] interface {
	List(ctx context.Context, o meta.ListOptions) (T, error)
	Watch(ctx context.Context, o meta.ListOptions) (watch.Interface, error)
}

// informer keeps what is ours of one kind.
func informer[T runtime.Object](e *Engine, api list[T], of runtime.Object) (cache.SharedIndexInformer, error) {
	selector := labels.SelectorFromSet(object.Labels(e.cfg.Installation)).String()
	i := cache.NewSharedIndexInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o meta.ListOptions) (runtime.Object, error) {
			o.LabelSelector = selector
			return patiently(ctx, e, func() (runtime.Object, error) { return api.List(ctx, o) })
		},
		WatchFuncWithContext: func(ctx context.Context, o meta.ListOptions) (watch.Interface, error) {
			o.LabelSelector = selector
			return patiently(ctx, e, func() (watch.Interface, error) { return api.Watch(ctx, o) })
		},
	}, of, 0, cache.Indexers{})
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

// handler calls for each object that is there, that changes, and that goes.
func handler[T any](changed func(o T, gone bool)) cache.ResourceEventHandler {
	take := func(o any, gone bool) {
		if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
			o = last.Obj
		}
		if one, ok := o.(T); ok {
			changed(one, gone)
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { take(o, false) },
		UpdateFunc: func(_, o any) { take(o, false) },
		DeleteFunc: func(o any) { take(o, true) },
	}
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
