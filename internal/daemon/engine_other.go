//go:build !linux

package daemon

import (
	"context"
	"errors"

	"github.com/setopsco/setops/internal/engine"
)

// checkEmbedded refuses: containers need Linux.
func checkEmbedded() error {
	return errors.New("the embedded engine cannot run here: it needs Linux")
}

func newEmbedded(context.Context, EngineConfig) (engine.Engine, error) { return nil, checkEmbedded() }
