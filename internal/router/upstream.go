package router

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// How long an upstream that took no connection is spared where there are others. Failing is quick where its machine refuses; where that
// is silent, as one is that has lost its power, each try costs a request the whole of dialTimeout.
const (
	restAfterRefusal = time.Second
	restAfterSilence = 4 * dialTimeout
)

// upstream is what is known of one task, whatever tables it is in. It lives from the first Set that names it
// until it is in no table and nothing is in flight to it.
type upstream struct {
	id string

	// inFlight is raised before retired is read (enter), and read after retired was set (Set, then Drain). So a
	// request either sees that the upstream has left and goes elsewhere, or Drain sees the request.
	inFlight atomic.Int64
	retired  atomic.Bool

	healthy   atomic.Bool
	proven    atomic.Bool  // a check has passed, or somebody else vouches for it
	restUntil atomic.Int64 // Unix nanoseconds, 0 after a connection that was made
	warmAt    atomic.Int64 // Unix nanoseconds: from then on it gets its full share

	holders int // owners whose routes name it; guarded by Router.mu

	mu          sync.Mutex
	changed     chan struct{}          // closed when it becomes idle or is routed again; nil when nobody waits
	tunnels     map[io.Closer]struct{} // what Drain closes at its deadline: upgraded connections and streams
	monitor     *monitor               // nil when nobody asks
	failures    int                    // consecutive
	lastFailure error                  // of the last check that failed; kept after a success, to explain what was
}

func newUpstream(id string) *upstream {
	u := &upstream{id: id}
	u.healthy.Store(true)
	return u
}

// warmUp begins a slow start.
func (u *upstream) warmUp(slowStart time.Duration) {
	u.warmAt.Store(time.Now().Add(slowStart).UnixNano())
}

// weight grows from coldWeight to 1 in the course of the slow start.
func (u *upstream) weight(now int64, slowStart time.Duration) float64 {
	remaining := float64(u.warmAt.Load()-now) / float64(slowStart)
	return 1 - (1-coldWeight)*min(1, max(0, remaining))
}

func (u *upstream) rank(now int64) rank {
	if !u.healthy.Load() {
		return out
	}
	rank := ready
	if u.restUntil.Load() > now {
		rank += resting
	}
	if !u.proven.Load() {
		rank += unproven
	}
	return rank
}

// enter counts a request in, unless the upstream has left the table.
func (u *upstream) enter() bool {
	u.inFlight.Add(1)
	if !u.retired.Load() {
		return true
	}
	u.leave()
	return false
}

// leave counts a request out and reports whether that made a departed upstream idle.
func (u *upstream) leave() (done bool) {
	if u.inFlight.Add(-1) > 0 || !u.retired.Load() {
		return false
	}
	u.announce()
	return true
}

// announce wakes those who wait for a change.
func (u *upstream) announce() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.changed != nil {
		close(u.changed)
		u.changed = nil
	}
}

// change is closed at the next announcement. Take it before looking at what may change.
func (u *upstream) change() <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.changed == nil {
		u.changed = make(chan struct{})
	}
	return u.changed
}

// refused notes that no connection could be made, and why, and reports whether that is news.
func (u *upstream) refused(err error) bool {
	rest := restAfterRefusal
	if silent := net.Error(nil); errors.As(err, &silent) && silent.Timeout() {
		rest = restAfterSilence
	}
	return u.restUntil.Swap(time.Now().Add(rest).UnixNano()) == 0
}

// reached forgets a refusal. The load keeps the common case from writing to memory that all cores share.
func (u *upstream) reached() {
	if u.restUntil.Load() != 0 {
		u.restUntil.Store(0)
	}
}
