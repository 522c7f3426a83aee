package kube

import (
	"context"
	"encoding/json"
	"fmt"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

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
