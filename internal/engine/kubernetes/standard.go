package kubernetes

import (
	"context"
	"fmt"

	core "k8s.io/api/core/v1"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// renewStandards holds stages to another standard where the operator has changed it since the last start. What runs is replaced when its
// generation is ensured, task by task, and one whose image does not satisfy the standard goes on as it is.
func (e *Engine) renewStandards(ctx context.Context) error {
	for _, o := range e.namespaces.GetStore().List() {
		n := o.(*core.Namespace)
		had := n.Labels[object.LabelStandard]
		want := e.stageOf(stageRef(n))
		if had == want.Standard() || n.DeletionTimestamp != nil {
			continue
		}
		if _, err := e.api.Core.Namespaces().Apply(ctx, want.Space(), apply); ignoreGone(err) != nil {
			return fmt.Errorf("write namespace: %w", err)
		}
		e.cfg.Logger.Info("a stage is held to another standard from now on; its tasks are replaced one by one, and those whose image does not satisfy it go on until they end",
			"organization", want.Organization, "project", want.Project, "stage", want.StageRef.Name, "standard", want.Standard(), "before", had)
	}
	return nil
}
