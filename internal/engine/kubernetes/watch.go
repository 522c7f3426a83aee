package kubernetes

import (
	"context"
	"maps"
	"slices"
)

// notify tells all watchers. e.mu is held.
func (e *Engine) notify(stageID string) { e.watchers.Notify(stageID) }

// Watch calls changed after changes, until ctx ends or the engine is closed. It begins with a call for every stage that has
// tasks.
func (e *Engine) Watch(ctx context.Context, changed func(stageID string)) {
	known := func() []string { return slices.Collect(maps.Keys(e.onStage)) }
	e.watchers.Run(ctx, e.ctx.Done(), &e.mu, known, changed)
}
