package kubernetes

import (
	"context"
	"fmt"

	kmeta "k8s.io/apimachinery/pkg/api/meta"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	core "k8s.io/api/core/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
)

// leader is one kind of object that leads requests to apps.
type leader struct {
	kind   string
	make   func(s object.Stage, one engine.Served) []meta.Object
	apply  func(ctx context.Context, o meta.Object) (meta.Object, error)
	list   func(ctx context.Context, namespace string, selected meta.ListOptions) (runtime.Object, error)
	remove func(ctx context.Context, namespace, name string) error
	// refused says what the cluster has against an object that it took; nil: nothing ever.
	refused func(o meta.Object) string
}

// imprint is what an object was when we wrote it.
type imprint struct {
	app        string
	uid        types.UID
	generation int64
}

// leaderOf joins a client and what makes its objects.
func leaderOf[T, L any, PT kube.Object[T], PL kube.List[L]](kind string, of func(namespace string) *kube.Client[T, L, PT, PL],
	make func(s object.Stage, one engine.Served) []PT,
) leader {
	return leader{
		kind: kind,
		make: func(s object.Stage, one engine.Served) (all []meta.Object) {
			for _, o := range make(s, one) {
				all = append(all, o)
			}
			return all
		},
		apply: func(ctx context.Context, o meta.Object) (meta.Object, error) {
			return of(o.GetNamespace()).Apply(ctx, o.(PT), apply)
		},
		list: func(ctx context.Context, namespace string, selected meta.ListOptions) (runtime.Object, error) {
			return of(namespace).List(ctx, selected)
		},
		remove: func(ctx context.Context, namespace, name string) error {
			return of(namespace).Delete(ctx, name, meta.DeleteOptions{})
		},
	}
}

// services lead requests inside the cluster, and whatever leads them from outside goes by these. Those of ports are such, too.
func services(api kube.API, port core.ServiceType) leader {
	l := leaderOf("Service", api.Core.Services, func(s object.Stage, one engine.Served) []*core.Service {
		all := []*core.Service{s.Service(one)}
		if o := s.Port(one, port); o != nil {
			all = append(all, o)
		}
		return all
	})
	l.refused = unbalanced
	return l
}

// put writes the objects of an app, and notes them in now. Where it is the same as before, it reports what somebody else had done.
func (e *Engine) put(ctx context.Context, l leader, s object.Stage, one engine.Served, now, had map[string]imprint, same bool) error {
	for _, o := range l.make(s, one) {
		got, err := l.apply(ctx, o)
		if err != nil {
			now[o.GetName()] = imprint{app: one.App}
			return fmt.Errorf("lead requests to app %s by the %s %s: %w", one.App, l.kind, o.GetName(), portError(err))
		}
		m := imprint{app: one.App, uid: got.GetUID(), generation: got.GetGeneration()}
		now[o.GetName()] = m
		if before, known := had[o.GetName()]; same && known && before != m {
			e.cfg.Logger.Warn("somebody has changed what leads requests to an app; it was put back",
				"kind", l.kind, "name", o.GetName(), "stage", s.ID)
		}
		if same && l.refused != nil && l.refused(got) != "" {
			e.cfg.Logger.Warn("the cluster does not lead requests to an app", "kind", l.kind, "name", o.GetName(), "stage", s.ID, "because", l.refused(got))
		}
	}
	return nil
}

// removeOthers removes what is there and is not to be: all that is ours, or what of it we have written.
func (e *Engine) removeOthers(ctx context.Context, l leader, s object.Stage, now *leading, i int, had map[string]imprint, all bool) error {
	if all {
		var err error
		if had, err = l.ours(ctx, s); err != nil {
			return err
		}
	}
	for name := range had {
		if _, stays := now.objects[i][name]; stays || now.opened[name] {
			continue
		}
		if err := ignoreGone(l.remove(ctx, s.Name(), name)); err != nil {
			return fmt.Errorf("remove the %s %s, which leads to no app any more: %w", l.kind, name, err)
		}
	}
	return nil
}

// ours are those of a stage that belong to apps.
func (l leader) ours(ctx context.Context, s object.Stage) (map[string]imprint, error) {
	all, err := l.list(ctx, s.Name(), meta.ListOptions{
		LabelSelector: labels.SelectorFromSet(object.Labels(s.Installation)).String() + "," + object.LabelApp,
	})
	if err != nil {
		return nil, fmt.Errorf("list each %s of the stage: %w", l.kind, err)
	}
	names := map[string]imprint{}
	err = kmeta.EachListItem(all, func(o runtime.Object) error {
		one, err := kmeta.Accessor(o)
		if err == nil {
			names[one.GetName()] = imprint{app: one.GetLabels()[object.LabelApp]}
		}
		return err
	})
	return names, err
}
