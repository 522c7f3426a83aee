package kube

import (
	"context"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

// List is a pointer to the list of a resource.
type List[L any] interface {
	*L
	runtime.Object
}

// Object is a pointer to what a resource consists of.
type Object[T any] interface {
	*T
	runtime.Object
	meta.Object
}

// Client is that of one resource, in a namespace where it has those. Its errors are those of the API, which package
// k8s.io/apimachinery/pkg/api/errors tells apart.
type Client[T, L any, PT Object[T], PL List[L]] struct {
	of              group
	name, namespace string
}

func resource[T, L any, PT Object[T], PL List[L]](g group, name, namespace string) *Client[T, L, PT, PL] {
	return &Client[T, L, PT, PL]{g, name, namespace}
}

// Get gives one object.
func (c *Client[T, L, PT, PL]) Get(ctx context.Context, name string, o meta.GetOptions) (PT, error) {
	return c.one(ctx, c.on(c.of.rest.Get(), name), &o)
}

// List gives those that o selects.
func (c *Client[T, L, PT, PL]) List(ctx context.Context, o meta.ListOptions) (PL, error) {
	all := PL(new(L))
	return all, c.several(c.of.rest.Get(), &o).Do(ctx).Into(all)
}

// Watch follows those that o selects.
func (c *Client[T, L, PT, PL]) Watch(ctx context.Context, o meta.ListOptions) (watch.Interface, error) {
	o.Watch = true
	return c.several(c.of.rest.Get(), &o).Watch(ctx)
}

// Create makes an object.
func (c *Client[T, L, PT, PL]) Create(ctx context.Context, made PT, o meta.CreateOptions) (PT, error) {
	return c.one(ctx, c.on(c.of.rest.Post(), "").Body(made), &o)
}

// Update replaces an object, unless somebody has written it since: its resourceVersion says which one is replaced.
func (c *Client[T, L, PT, PL]) Update(ctx context.Context, o PT, options meta.UpdateOptions) (PT, error) {
	return c.one(ctx, c.on(c.of.rest.Put(), o.GetName()).Body(o), &options)
}

// Patch changes an object, or makes it where the kind of patch does that.
func (c *Client[T, L, PT, PL]) Patch(ctx context.Context, name string, kind types.PatchType, patch []byte, o meta.PatchOptions) (PT, error) {
	return c.one(ctx, c.on(c.of.rest.Patch(kind), name).Body(patch), &o)
}

// Delete removes an object.
func (c *Client[T, L, PT, PL]) Delete(ctx context.Context, name string, o meta.DeleteOptions) error {
	return c.on(c.of.rest.Delete(), name).Body(&o).Do(ctx).Error()
}

// DeleteCollection removes those that l selects.
func (c *Client[T, L, PT, PL]) DeleteCollection(ctx context.Context, o meta.DeleteOptions, l meta.ListOptions) error {
	return c.several(c.of.rest.Delete(), &l).Body(&o).Do(ctx).Error()
}

func (c *Client[T, L, PT, PL]) one(ctx context.Context, r *rest.Request, options runtime.Object) (PT, error) {
	o := PT(new(T))
	return o, r.VersionedParams(options, c.of.params).Do(ctx).Into(o)
}

func (c *Client[T, L, PT, PL]) several(r *rest.Request, o *meta.ListOptions) *rest.Request {
	if o.TimeoutSeconds != nil {
		r = r.Timeout(time.Duration(*o.TimeoutSeconds) * time.Second)
	}
	return c.on(r, "").VersionedParams(o, c.of.params)
}

// on names what is asked for; name "": all.
func (c *Client[T, L, PT, PL]) on(r *rest.Request, name string) *rest.Request {
	if !c.of.custom {
		r = r.UseProtobufAsDefault()
	}
	r = r.NamespaceIfScoped(c.namespace, c.namespace != "").Resource(c.name)
	if name == "" {
		return r
	}
	return r.Name(name)
}
