package kube

import (
	"context"
	"encoding/json"
	"fmt"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/gentype"
)

// list is a pointer to the list of a resource.
type list[L any] interface {
	*L
	runtime.Object
}

// object is a pointer to what a resource consists of.
type object[T any] interface {
	*T
	runtime.Object
	meta.Object
}

// Client is that of one resource, in a namespace where it has those.
type Client[T, L any, PT object[T], PL list[L]] struct {
	*gentype.ClientWithList[PT, PL]
	of        group
	namespace string
}

func resource[T, L any, PT object[T], PL list[L]](g group, name, namespace string) *Client[T, L, PT, PL] {
	return &Client[T, L, PT, PL]{
		gentype.NewClientWithList[PT, PL](name, g.rest, g.params, namespace,
			func() PT { return new(T) }, func() PL { return new(L) }, gentype.PrefersProtobuf[PT]()),
		g, namespace,
	}
}

// Apply makes the fields that o has what o says, and returns the object as it is then. What another manager of fields has set is an
// error (conflict), unless options force it.
func (c *Client[T, L, PT, PL]) Apply(ctx context.Context, o PT, options meta.ApplyOptions) (PT, error) {
	text, err := Manifest(o)
	if err != nil {
		return nil, err
	}
	return c.Patch(ctx, o.GetName(), types.ApplyPatchType, text, options.ToPatchOptions())
}

// Manifest is what of an object is applied, as JSON, with its kind and without its status, which is none of ours.
func Manifest(o runtime.Object) ([]byte, error) {
	types, err := known()
	if err != nil {
		return nil, err
	}
	kinds, _, err := types.ObjectKinds(o)
	if err != nil {
		return nil, fmt.Errorf("write object of the cluster: %w", err)
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, fmt.Errorf("write object of the cluster: %w", err)
	}
	delete(fields, "status")
	fields["apiVersion"], fields["kind"] = kinds[0].ToAPIVersionAndKind()
	return json.Marshal(fields)
}
