package names

import (
	"context"
	"fmt"
	"log/slog"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/kube"
)

// follower keeps a directory as the cluster tells.
type follower struct {
	pods, services cache.SharedIndexInformer
	directory      *directory
}

func newFollower(kubeconfig string, log *slog.Logger) (*follower, error) {
	api, err := kube.Connect(kubeconfig)
	if err != nil {
		return nil, err
	}
	f := &follower{
		pods:     informer(api.Core.Pods(""), &core.Pod{}, podIndexes),
		services: informer(api.Core.Services(""), &core.Service{}, serviceIndexes),
	}
	f.directory = newDirectory(f.pods.GetIndexer(), f.services.GetIndexer(), f.synced)
	told := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { f.directory.tell() },
		UpdateFunc: func(any, any) { f.directory.tell() },
	}
	if _, err := f.pods.AddEventHandler(told); err != nil {
		return nil, fmt.Errorf("follow the cluster: %w", err)
	}
	for _, i := range []cache.SharedIndexInformer{f.pods, f.services} {
		if err := prepare(i, log); err != nil {
			return nil, fmt.Errorf("follow the cluster: %w", err)
		}
	}
	return f, nil
}

// synced reports whether all is known that was there at the start. It stays so while the API is away.
func (f *follower) synced() bool { return f.pods.HasSynced() && f.services.HasSynced() }

func informer[L runtime.Object](api kube.Watched[L], of runtime.Object, indexes cache.Indexers) cache.SharedIndexInformer {
	ours := labels.SelectorFromSet(labels.Set{object.LabelManagedBy: object.Manager}).String()
	return cache.NewSharedIndexInformer(kube.Select(api, ours), of, 0, indexes)
}

func prepare(i cache.SharedIndexInformer, log *slog.Logger) error {
	if err := i.SetTransform(strip); err != nil {
		return err
	}
	return i.SetWatchErrorHandlerWithContext(func(ctx context.Context, _ *cache.Reflector, err error) {
		if ctx.Err() == nil {
			log.Warn("the cluster does not tell what happens; what is known is answered, and it is asked again", "error", err)
		}
	})
}

// strip keeps what answers need, and throws the rest away: secrets of others have no business in here.
func strip(o any) (any, error) {
	switch o := o.(type) {
	case *core.Pod:
		return &core.Pod{
			ObjectMeta: bare(o.ObjectMeta, nil), Spec: core.PodSpec{HostNetwork: o.Spec.HostNetwork},
			Status: core.PodStatus{Phase: o.Status.Phase, PodIPs: o.Status.PodIPs},
		}, nil
	case *core.Service:
		host := map[string]string{object.AnnotationHost: o.Annotations[object.AnnotationHost]}
		return &core.Service{ObjectMeta: bare(o.ObjectMeta, host), Spec: core.ServiceSpec{ClusterIPs: o.Spec.ClusterIPs}}, nil
	}
	return o, nil
}

func bare(m meta.ObjectMeta, annotations map[string]string) meta.ObjectMeta {
	return meta.ObjectMeta{
		Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion,
		CreationTimestamp: m.CreationTimestamp, Annotations: annotations,
	}
}
