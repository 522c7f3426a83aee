//go:build !linux || !cgo

package daemon

import (
	"context"
	"errors"

	"github.com/setopsco/setops/internal/engine"
)

// checkEmbedded refuses: libcontainer needs Linux and a build with cgo.
func checkEmbedded() error {
	return errors.New("the embedded engine cannot run here: this setopsd was built without it; it needs Linux and CGO_ENABLED=1")
}

func newEmbedded(context.Context, EngineConfig) (engine.Engine, error) { return nil, checkEmbedded() }
