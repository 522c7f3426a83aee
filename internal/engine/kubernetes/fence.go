package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// fenceManager owns the number of the newest lease: applying the namespace does not touch it.
const fenceManager = object.Manager + "-fence"

func fenceOf(o meta.Object) int64 {
	n, _ := strconv.ParseInt(o.GetAnnotations()[object.AnnotationFence], 10, 64)
	return n
}

// outranks reports an object that was written under a newer lease.
func outranks(o meta.Object, fence int64) bool { return fence != 0 && fence < fenceOf(o) }

// admit refuses what makes something new on a stage under an older lease than the newest that has written, and remembers a
// newer one in the stage's namespace. What it writes is refused when somebody else has written meanwhile, and then it looks
// again.
func (e *Engine) admit(ctx context.Context, stageID, namespace string, fence int64) error {
	e.mu.Lock()
	gone := e.gone[stageID]
	e.mu.Unlock()
	if gone {
		return engine.ErrFenced
	}
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		n, err := e.api.Core.Namespaces().Get(ctx, namespace, meta.GetOptions{})
		if err != nil {
			return err
		}
		switch {
		case n.Labels[object.LabelStage] != stageID:
			return fmt.Errorf("the namespace %s belongs to somebody else", namespace)
		case fence == 0 || fence == fenceOf(n):
			return nil
		case outranks(n, fence):
			return engine.ErrFenced
		}
		return e.writeFence(ctx, n, fence)
	})
}

func (e *Engine) writeFence(ctx context.Context, n *core.Namespace, fence int64) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": n.ResourceVersion,
		"annotations":     map[string]string{object.AnnotationFence: strconv.FormatInt(fence, 10)},
	}})
	if err != nil {
		return fmt.Errorf("write the number of a lease: %w", err)
	}
	_, err = e.api.Core.Namespaces().Patch(ctx, n.Name, types.MergePatchType, patch, meta.PatchOptions{FieldManager: fenceManager})
	return err
}

// ignoreGone makes what is not there any more no error.
func ignoreGone(err error) error {
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}
