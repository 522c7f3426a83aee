package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"time"
)

const (
	purgeInterval = time.Hour
	// abandonedAfter is how long an upload may rest before it counts as
	// abandoned: long enough to go on with it the next morning.
	abandonedAfter = 24 * time.Hour
)

// PurgeUploads removes the uploads that received nothing since olderThan, and
// what a crash left of removed repositories. It returns how many uploads it
// removed.
func (r *Registry) PurgeUploads(ctx context.Context, olderThan time.Time) (int, error) {
	if err := r.images.finish(ctx, olderThan); err != nil {
		return 0, fmt.Errorf("purge removed repositories: %w", err)
	}
	repositories, err := r.descend(ctx, repositoriesDir, 4)
	if err != nil {
		return 0, fmt.Errorf("list repositories: %w", err)
	}
	var removed int
	var problems []error
	for _, repository := range repositories {
		n, err := r.purgeRepository(ctx, repository, olderThan)
		removed += n
		problems = append(problems, err)
		if ctx.Err() != nil {
			return removed, ctx.Err()
		}
	}
	if err := errors.Join(problems...); err != nil {
		return removed, fmt.Errorf("purge uploads: %w", err)
	}
	return removed, nil
}

func (r *Registry) purgeRepository(ctx context.Context, dir string, olderThan time.Time) (removed int, err error) {
	uploads, err := r.descend(ctx, path.Join(dir, "_uploads"), 1)
	if err != nil {
		return 0, err
	}
	var problems []error
	for _, upload := range uploads {
		rested, err := r.images.touched(ctx, upload)
		if err == nil && rested.isOld(olderThan) {
			// Not while somebody pushes: S3 does not tell that bytes arrive.
			err = r.pushes.whenIdle(strings.TrimPrefix(dir, repositoriesDir+"/"), func() error {
				removed++
				return r.images.discard(ctx, upload)
			})
		}
		problems = append(problems, err)
	}
	return removed, errors.Join(problems...)
}

// purger calls a purge now and every hour until it is stopped.
type purger struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func startPurger(purge func(context.Context, time.Time) (int, error), log *slog.Logger) *purger {
	ctx, cancel := context.WithCancel(context.Background())
	p := &purger{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		ticker := time.NewTicker(purgeInterval)
		defer ticker.Stop()
		for {
			removed, err := purge(ctx, time.Now().Add(-abandonedAfter))
			if err != nil && ctx.Err() == nil {
				log.Warn("purge abandoned uploads", "error", err)
			}
			if removed > 0 {
				log.Info("abandoned uploads removed", "count", removed)
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return p
}

// stop waits until nothing is being removed any more.
func (p *purger) stop() {
	p.cancel()
	<-p.done
}
