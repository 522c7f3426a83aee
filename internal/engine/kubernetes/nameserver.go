package kubernetes

import (
	"context"
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
)

// findNames looks where private names are answered, and reports whether that is somewhere else than before. Tasks that are there
// are replaced one by one when they are applied: what they ask cannot be changed while they run.
func (e *Engine) findNames(ctx context.Context) (moved bool, err error) {
	selector := labels.SelectorFromSet(labels.Set{object.LabelComponent: object.ComponentNames}).String()
	services, err := e.api.Core.Services(e.cfg.Namespace).List(ctx, meta.ListOptions{LabelSelector: selector})
	if err != nil {
		return false, fmt.Errorf("look for the name server in the namespace %s: %w", e.cfg.Namespace, err)
	}
	var found []string
	for _, s := range services.Items {
		if s.DeletionTimestamp == nil && s.Spec.ClusterIP != "" && s.Spec.ClusterIP != core.ClusterIPNone {
			found = append(found, s.Spec.ClusterIPs...)
		}
	}
	slices.Sort(found)
	found = found[:min(len(found), mostNameServers)]
	e.mu.Lock()
	moved = !slices.Equal(found, e.nameServers)
	e.nameServers = found
	e.mu.Unlock()
	if moved {
		e.cfg.Logger.Info("tasks ask another name server from now on", "addresses", found)
	}
	return moved, nil
}

// mostNameServers is how many a pod may have.
const mostNameServers = 3

func (e *Engine) knownNames() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.nameServers
}
