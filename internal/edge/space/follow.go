package space

import (
	"context"
	"errors"
	"fmt"
	"sync"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/setopsco/setops/internal/edge/published"
	"github.com/setopsco/setops/internal/kube"
)

var _ published.Source = (*Namespace)(nil)

// Follow implements published.Source. While the cluster does not answer, nothing changes.
func (n *Namespace) Follow(ctx context.Context, changed func(o published.Object, gone bool), synced func()) error {
	var one sync.Mutex // what comes of two lists is told by one call after the other
	tell := func(o published.Object, gone bool) {
		one.Lock()
		defer one.Unlock()
		changed(o, gone)
	}
	maps, secrets := informer(n.api.ConfigMaps(n.name), &core.ConfigMap{}), informer(n.api.Secrets(n.name), &core.Secret{})
	if err := errors.Join(n.sayErrors(maps), n.sayErrors(secrets)); err != nil {
		return fmt.Errorf("follow what is published: %w", err)
	}
	hasMaps, err := maps.AddEventHandler(handler(ofConfigMap, tell))
	if err != nil {
		return fmt.Errorf("follow what is published: %w", err)
	}
	hasSecrets, err := secrets.AddEventHandler(handler(ofSecret, tell))
	if err != nil {
		return fmt.Errorf("follow what is published: %w", err)
	}
	var following sync.WaitGroup
	following.Go(func() { maps.RunWithContext(ctx) })
	following.Go(func() { secrets.RunWithContext(ctx) })
	if cache.WaitForCacheSync(ctx.Done(), hasMaps.HasSynced, hasSecrets.HasSynced) { // the handlers have had all
		synced()
	}
	following.Wait()
	return nil
}

// sayErrors has what the cluster does not tell in the log.
func (n *Namespace) sayErrors(i cache.SharedInformer) error {
	return i.SetWatchErrorHandlerWithContext(func(ctx context.Context, _ *cache.Reflector, err error) {
		if ctx.Err() == nil {
			n.log.Warn("the cluster does not tell what is published; it is asked again", "namespace", n.name, "error", err)
		}
	})
}

func informer[L runtime.Object](api kube.Watched[L], of runtime.Object) cache.SharedInformer {
	return cache.NewSharedInformer(kube.Select(api, labelPublished), of, 0)
}

func handler[T any](of func(T) published.Object, tell func(o published.Object, gone bool)) cache.ResourceEventHandler {
	return kube.Handler(func(o T, gone bool) { tell(of(o), gone) })
}
