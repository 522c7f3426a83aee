package kubernetes

import (
	"context"
	"fmt"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// SetServed points the Service of each app at its generation, one request per app after the other: nearer together the API does
// not have it. Services of apps that are not named go.
func (e *Engine) SetServed(ctx context.Context, stageID string, served []engine.Served) error {
	e.mu.Lock()
	s, known := e.stages[stageID]
	e.mu.Unlock()
	if !known {
		return nil // nothing of it runs
	}
	o := object.Stage{StageRef: s, Installation: e.cfg.Installation}
	named := map[string]bool{}
	for _, one := range served {
		named[one.App] = true
		if _, err := e.api.Core.Services(o.Name()).Apply(ctx, o.Service(one), apply); err != nil {
			return fmt.Errorf("lead requests to app %s: %w", one.App, err)
		}
	}
	selector := labels.SelectorFromSet(object.Labels(e.cfg.Installation)).String()
	all, err := e.api.Core.Services(o.Name()).List(ctx, meta.ListOptions{LabelSelector: selector})
	if err != nil {
		return fmt.Errorf("list where apps answer: %w", err)
	}
	for _, old := range all.Items {
		if app := old.Labels[object.LabelApp]; app == "" || named[app] {
			continue
		}
		if err := ignoreGone(e.api.Core.Services(o.Name()).Delete(ctx, old.Name, meta.DeleteOptions{})); err != nil {
			return fmt.Errorf("remove where app %s answered: %w", old.Labels[object.LabelApp], err)
		}
	}
	return nil
}
