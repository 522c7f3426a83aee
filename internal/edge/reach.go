package edge

import (
	"context"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

const (
	knocks     = 128         // connections that are made at a time
	knockLimit = time.Second // for one
	knockAgain = 100 * time.Millisecond
)

// tryTasks returns when every task that is routed has taken a connection of this router, or Config.Reach is over. Network policies let a
// router in by its labels, and who enforces them on a node hears of a new one when it likes: the requests that it gets before are refused.
func (e *Edge) tryTasks(ctx context.Context) {
	if !e.awaitAll(ctx) {
		return
	}
	limited, cancel := context.WithTimeout(ctx, e.cfg.Reach)
	defer cancel()
	reached := map[string]bool{}
	left := e.knock(limited, reached)
	for left != "" && limited.Err() == nil {
		select {
		case <-limited.Done():
		case <-time.After(knockAgain):
			left = e.knock(limited, reached)
		}
	}
	if left != "" && ctx.Err() == nil {
		e.log.Warn("this router begins, and not all tasks take its connections", "after", e.cfg.Reach, "one", left)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tried, e.tasks = true, nil
}

// awaitAll returns when the table has everything. It reports false where ctx has ended before.
func (e *Edge) awaitAll(ctx context.Context) bool {
	for {
		e.mu.Lock()
		all, changed := e.hasAll(), e.changed
		e.mu.Unlock()
		if all {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// knock connects with each task that is not reached, once, and gives the address of one that takes no connection; empty: all do.
func (e *Edge) knock(ctx context.Context, reached map[string]bool) (left string) {
	e.mu.Lock()
	addresses := slices.Concat(slices.Collect(maps.Values(e.tasks))...)
	e.mu.Unlock()
	var mu sync.Mutex
	var knocking sync.WaitGroup
	places := make(chan struct{}, knocks)
	dialer := net.Dialer{Timeout: knockLimit}
	for _, address := range slices.DeleteFunc(addresses, func(a string) bool { return reached[a] }) {
		places <- struct{}{}
		knocking.Go(func() {
			defer func() { <-places }()
			c, err := dialer.DialContext(ctx, "tcp", address)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				left = address
				return
			}
			reached[address] = true
			_ = c.Close() // it was made, and that counts
		})
	}
	knocking.Wait()
	return left
}
