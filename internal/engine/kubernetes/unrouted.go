package kubernetes

import (
	"context"
	"fmt"

	core "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
)

// awaitUnrouted returns when the cluster leads no request to a generation any more whose app another one serves: only from then on
// its pods may be told to end, and what they serve on is for those who have yet to learn of it. The wait is limited, since a
// cluster that does not follow may not keep a generation for ever. It reports false when the engine was closed before.
func (e *Engine) awaitUnrouted(g *generation, namespace string) bool {
	ctx, cancel := context.WithTimeout(e.ctx, e.cfg.Timings.Drain)
	defer cancel()
	s, err := patiently(ctx, e, func() (*core.Service, error) {
		return e.api.Core.Services(namespace).Get(ctx, g.App, meta.GetOptions{})
	})
	if kerrors.IsNotFound(err) || err == nil && s.Spec.Selector[object.LabelGeneration] == g.ID {
		return e.ctx.Err() == nil
	}
	// Where the Service cannot be read, its endpoints tell: nothing ends because it is not known who is led to it.
	if err := e.followEndpoints(ctx, g, namespace); err != nil && e.ctx.Err() == nil {
		e.cfg.Logger.Warn("the cluster may still lead requests to a generation that is removed", "generation", g.ID, "app", g.App, "error", err)
	}
	return e.ctx.Err() == nil
}

// followEndpoints returns when no endpoint of an app is a task of g.
func (e *Engine) followEndpoints(ctx context.Context, g *generation, namespace string) error {
	selector := fmt.Sprintf("%s in (%s, %s)", discovery.LabelServiceName, g.App, object.PortName(g.App))
	all := kube.Select(patient[*discovery.EndpointSliceList]{e, e.api.Discovery.EndpointSlices(namespace)}, selector)
	var endpoints cache.Store
	_, err := watchtools.UntilWithSync(ctx, all, &discovery.EndpointSlice{}, func(there cache.Store) (bool, error) {
		endpoints = there
		return !leadTo(endpoints, e.podsOf(g)), nil
	}, func(watch.Event) (bool, error) {
		return !leadTo(endpoints, e.podsOf(g)), nil
	})
	return err
}

// leadTo reports whether one of the pods is an endpoint.
func leadTo(endpoints cache.Store, pods map[types.UID]bool) bool {
	for _, o := range endpoints.List() {
		for _, endpoint := range o.(*discovery.EndpointSlice).Endpoints {
			if endpoint.TargetRef != nil && pods[endpoint.TargetRef.UID] {
				return true
			}
		}
	}
	return false
}

func (e *Engine) podsOf(g *generation) map[types.UID]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	pods := map[types.UID]bool{}
	for uid, a := range e.attendants {
		if a.gen == g {
			pods[types.UID(uid)] = true
		}
	}
	return pods
}
