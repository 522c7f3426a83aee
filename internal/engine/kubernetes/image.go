package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/platform"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// Prepare refuses an image that no node can run. Nodes pull it when they need it.
func (e *Engine) Prepare(ctx context.Context, i engine.Image) error {
	if e.cfg.Images == nil {
		return nil
	}
	offered, err := platform.Offered(ctx, e.cfg.Images, i)
	var unusable *platform.Unusable
	switch {
	case errors.As(err, &unusable):
		return &engine.GateError{Check: verdict.CheckImage, Cause: setops.Printable(unusable.Reason)}
	case err != nil:
		return unfetched(err)
	}
	made, err := e.machines(ctx)
	if err != nil || len(made) == 0 {
		return err
	}
	for _, here := range made {
		if slices.ContainsFunc(offered, func(p platform.Platform) bool { return p.Fits(here) }) {
			return nil
		}
	}
	return &engine.GateError{Check: verdict.CheckImage, Cause: setops.Printable(fmt.Sprintf(
		"the image is made for %s and the machines of the cluster are %s", platform.Names(offered), platform.Names(made)))}
}

// machinesFor gives the architectures that an image is made for. Where one of its parts does not say, none are given.
func (e *Engine) machinesFor(ctx context.Context, i engine.Image) ([]string, error) {
	if e.cfg.Images == nil {
		return nil, nil
	}
	offered, err := platform.Offered(ctx, e.cfg.Images, i)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, p := range offered {
		if p.Architecture == "" {
			return nil, nil
		}
		all = append(all, p.Architecture)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// machines are what the nodes are, as they were when somebody asked first. Who may not see nodes is not told.
func (e *Engine) machines(ctx context.Context) ([]platform.Platform, error) {
	e.mu.Lock()
	known := e.made
	e.mu.Unlock()
	if known != nil {
		return known, nil
	}
	const some = 500
	nodes, err := e.api.Core.Nodes().List(ctx, meta.ListOptions{Limit: some})
	if kerrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find out which machines the cluster has: %w", err)
	}
	var made []platform.Platform
	for _, n := range nodes.Items {
		if a := n.Labels[core.LabelArchStable]; a != "" {
			made = append(made, platform.Platform{OS: "linux", Architecture: a})
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.made = made
	return made, nil
}

func unfetched(err error) error {
	return &engine.GateError{Check: verdict.CheckImage, Cause: setops.Printable(err.Error()), Fault: true, Temporary: true}
}
