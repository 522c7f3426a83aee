package kubernetes

import (
	"context"
	"fmt"
	"time"

	discovery "k8s.io/api/discovery/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// awaitUnrouted returns when the cluster leads no request to a generation any more whose app another one serves: only from then on
// its pods may be told to end, and what they serve on is for those who have yet to learn of it. The wait is limited, since a
// cluster that does not follow may not keep a generation for ever. It reports false when the engine was closed before.
func (e *Engine) awaitUnrouted(g *generation, namespace string) bool {
	ctx, cancel := context.WithTimeout(e.ctx, e.cfg.Timings.Drain)
	defer cancel()
	for {
		led, err := e.isLedTo(ctx, g, namespace)
		if err != nil && ctx.Err() == nil {
			e.cfg.Logger.Warn("it is not known whether requests are still led to a generation; it is asked again", "generation", g.ID, "error", err)
		}
		if err == nil && !led {
			return true
		}
		select {
		case <-ctx.Done():
			if e.ctx.Err() == nil {
				e.cfg.Logger.Warn("the cluster still leads requests to a generation that is removed", "generation", g.ID, "app", g.App)
			}
			return e.ctx.Err() == nil
		case <-time.After(e.cfg.Timings.Retry / 5):
		}
	}
}

// isLedTo reports whether requests to an app still get to tasks of g, where its Service names another generation.
func (e *Engine) isLedTo(ctx context.Context, g *generation, namespace string) (bool, error) {
	s, err := e.api.Core.Services(namespace).Get(ctx, g.App, meta.GetOptions{})
	if err != nil || s.Spec.Selector[object.LabelGeneration] == g.ID {
		return false, ignoreGone(err)
	}
	slices, err := e.api.Discovery.EndpointSlices(namespace).List(ctx, meta.ListOptions{
		LabelSelector: fmt.Sprintf("%s in (%s, %s)", discovery.LabelServiceName, g.App, object.PortName(g.App)),
	})
	if err != nil {
		return false, ignoreGone(err)
	}
	pods := e.podsOf(g)
	for _, slice := range slices.Items {
		for _, endpoint := range slice.Endpoints {
			if endpoint.TargetRef != nil && pods[endpoint.TargetRef.UID] {
				return true, nil
			}
		}
	}
	return false, nil
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
