package host

import (
	"context"
	"maps"
	"slices"
)

// notify tells all watchers. s.mu is held.
func (s *Supervisor) notify(stageID string) { s.watchers.Notify(stageID) }

// Watch calls changed after changes, until ctx ends or the supervisor is closed; it returns then. It begins with a call
// for every stage that has tasks, so that a caller misses nothing.
func (s *Supervisor) Watch(ctx context.Context, changed func(stageID string)) {
	known := func() []string { return slices.Collect(maps.Keys(s.onStage)) }
	s.watchers.Run(ctx, s.ctx.Done(), &s.mu, known, changed)
}
