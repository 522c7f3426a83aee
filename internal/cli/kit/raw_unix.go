//go:build unix

package kit

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// looks says when the size of the terminal may have changed, until ctx ends.
func looks(ctx context.Context) <-chan struct{} {
	signals, due := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGWINCH)
	go func() {
		defer close(due)
		defer signal.Stop(signals)
		for {
			select {
			case <-signals:
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
