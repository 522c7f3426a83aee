package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/setopsco/setops/internal/engine/host"
)

// takeOver makes the engine's directory one of this kind of engine. What the other one has left there goes, unless tasks
// of it run: nobody would look after them.
func takeOver(ctx context.Context, c EngineConfig, kind string) error {
	owner, err := kindOf(c.Dir)
	if err != nil {
		return err
	}
	if owner != "" && owner != kind {
		if err := leave(ctx, c, owner, kind); err != nil {
			return err
		}
	}
	return writeKind(c.Dir, kind)
}

func leave(ctx context.Context, c EngineConfig, owner, kind string) error {
	if owner == kubernetesKind {
		return leaveCluster(ctx, c, kind)
	}
	old := &localEngine{}
	err := old.openRuntime(ctx, c, owner)
	if err == nil {
		err = vacate(ctx, old.runtime, owner)
	}
	if err := errors.Join(err, old.Close()); err != nil {
		return fmt.Errorf("the data directory belongs to the %s engine and not to the %s engine: %w", owner, kind, err)
	}
	c.Logger.Info("the data directory has changed its engine", "from", owner, "to", kind)
	return nil
}

// vacate removes ended containers and networks. Tasks that run are an error.
func vacate(ctx context.Context, r host.Runtime, kind string) error {
	found, err := r.List(ctx)
	if err != nil {
		return err
	}
	running := 0
	for _, f := range found {
		if f.Running {
			running++
		}
	}
	if running > 0 {
		return fmt.Errorf("%d tasks run on it; start setopsd with --engine %s, and scale every app to 0 before you change the engine", running, kind)
	}
	for _, f := range found {
		if err := r.Remove(ctx, f.ID); err != nil {
			return err
		}
	}
	stages, err := r.Networks(ctx)
	for _, id := range stages {
		err = errors.Join(err, r.RemoveNetwork(ctx, id))
	}
	return err
}
