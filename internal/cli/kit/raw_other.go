//go:build !unix

package kit

import (
	"context"
	"time"
)

// lookEvery is how soon a new size is noticed where no signal tells of it.
const lookEvery = 250 * time.Millisecond

// looks says when the size of the terminal may have changed, until ctx ends.
func looks(ctx context.Context) <-chan struct{} {
	due := make(chan struct{})
	go func() {
		defer close(due)
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
			select {
			case due <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return due
}
