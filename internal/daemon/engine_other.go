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

func newEngine(ctx context.Context, _ EngineConfig) (engine.Engine, error) {
	return nil, checkEngine(ctx, Config{})
}
