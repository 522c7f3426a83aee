package certs

import (
	"crypto/tls"
	"fmt"
	"time"
)

// serve puts a certificate in the place of the one that is served, and sets when it is renewed: not before earliest.
func (k *keeper) serve(leaf *tls.Certificate, earliest time.Time) {
	k.leaf.Store(leaf)
	defer k.m.changed()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.why, k.failures, k.due, k.asked = nil, 0, renewal(leaf.Leaf), time.Now()
	if k.due.Before(earliest) {
		k.due = earliest
	}
}

// wait is how long nothing is due.
func (k *keeper) wait() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Until(k.due)
}

// fail notes why there is no new certificate, and when to try again.
func (k *keeper) fail(err error, now time.Time) {
	if k.ctx.Err() != nil {
		return
	}
	next := k.pause(err, now)
	k.m.log.Warn("no certificate", "host", k.name, "error", err, "next", next)
}

func (k *keeper) pause(err error, now time.Time) (next time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	pauses := k.m.pace.pauses
	k.tried, k.due = now, now.Add(pauses[min(k.failures, len(pauses)-1)])
	k.failures++
	k.why = fmt.Errorf("%w; next attempt at %s", err, k.due.UTC().Format(time.RFC3339))
	return k.due
}

// again brings the next attempt forward where the last one failed some time ago: somebody has committed, and may have
// mended what was wrong.
func (k *keeper) again(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failures == 0 || now.Sub(k.tried) < k.m.pace.again || !now.Before(k.due) {
		return
	}
	k.due = now.Round(0)
	select {
	case k.hurry <- struct{}{}:
	default:
	}
}

func (k *keeper) status() (string, error) {
	leaf := k.leaf.Load()
	k.mu.Lock()
	why := k.why
	k.mu.Unlock()
	switch {
	case leaf != nil && time.Now().Before(leaf.Leaf.NotAfter):
		return Ready, why
	case why != nil:
		return Failed, why
	case leaf != nil:
		return Failed, expired(k.name, leaf.Leaf)
	}
	return Ordering, nil
}

// asksNow reports whether it is time to ask the directory for its advice, and notes that it is asked.
func (k *keeper) asksNow(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.m.acme == nil || k.leaf.Load() == nil || now.Sub(k.asked) < k.m.pace.advice {
		return false
	}
	k.asked = now
	return true
}

// advance brings the next attempt forward.
func (k *keeper) advance(to time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failures == 0 && to.Before(k.due) {
		k.due = to
	}
}
