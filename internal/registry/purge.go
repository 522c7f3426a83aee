package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
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
	if err := r.purgeTrash(olderThan); err != nil {
		return 0, err
	}
	uploads, err := filepath.Glob(filepath.Join(r.repositoriesDir(), "*", "*", "*", "*", "_uploads", "*"))
	if err != nil {
		return 0, fmt.Errorf("list uploads: %w", err)
	}
	var removed int
	var problems []error
	for _, upload := range uploads {
		if ctx.Err() != nil {
			return removed, ctx.Err()
		}
		rested, err := restsSince(upload, olderThan)
		if err == nil && rested {
			err = os.RemoveAll(upload)
			removed++
		}
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return removed, fmt.Errorf("purge uploads: %w", err)
	}
	return removed, nil
}

// restsSince looks at the data first: its time moves while bytes arrive, that
// of the directory only between requests.
func restsSince(upload string, olderThan time.Time) (bool, error) {
	info, err := os.Stat(filepath.Join(upload, "data"))
	if errors.Is(err, fs.ErrNotExist) {
		info, err = os.Stat(upload)
	}
	if errors.Is(err, fs.ErrNotExist) { // finished meanwhile
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return info.ModTime().Before(olderThan), nil
}

func (r *Registry) purgeTrash(olderThan time.Time) error {
	entries, err := os.ReadDir(r.trashDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("purge removed repositories: %w", err)
	}
	var problems []error
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || !info.ModTime().Before(olderThan) {
			continue
		}
		problems = append(problems, os.RemoveAll(filepath.Join(r.trashDir(), entry.Name())))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("purge removed repositories: %w", err)
	}
	return nil
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
