//go:build !linux

package daemon

import (
	"context"
	"errors"

	"github.com/setopsco/setops/internal/engine"
)

// checkEngine refuses: containers need Linux.
func checkEngine(context.Context, Config) error {
	return errors.New("no engine can run here: containers need Linux")
}

func chooseRouting(ctx context.Context, _ ClusterConfig, _, _ string) (*led, error) {
	return nil, checkEngine(ctx, Config{})
}

func newEngine(ctx context.Context, _ EngineConfig) (engine.Engine, error) {
	return nil, checkEngine(ctx, Config{})
}
