package kube

import (
	"context"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// Watched is one kind of objects, as the API lists and watches them.
type Watched[L runtime.Object] interface {
	List(ctx context.Context, o meta.ListOptions) (L, error)
	Watch(ctx context.Context, o meta.ListOptions) (watch.Interface, error)
}

// Select is what an informer asks for those of one kind that a selector of labels names.
func Select[L runtime.Object](api Watched[L], selector string) *cache.ListWatch {
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o meta.ListOptions) (runtime.Object, error) {
			o.LabelSelector = selector
			return api.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o meta.ListOptions) (watch.Interface, error) {
			o.LabelSelector = selector
			return api.Watch(ctx, o)
		},
	}
}

// Handler calls changed for each object that is there, that changes, and that goes.
func Handler[T any](changed func(o T, gone bool)) cache.ResourceEventHandler {
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
