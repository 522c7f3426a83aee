package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// pace says how quickly things are done again.
type pace struct {
	pauses []time.Duration // after the first, second… failure in a row; the last one for all that follow
	again  time.Duration   // a Set tries what fails at once, where the last attempt is older than this
	look   time.Duration   // a wait is cut into such pieces, as a machine that was suspended has lost time
	order  time.Duration   // the most that one order may take
}

// usual keeps below five failed checks of a name in an hour, above which Let's Encrypt refuses it; an attempt has two.
func usual() pace {
	return pace{
		pauses: []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour},
		again:  15 * time.Minute,
		look:   time.Hour,
		order:  5 * time.Minute,
	}
}

// keeper sees to it that one name has a certificate, from the Set that asks for it to the one that lets it go.
//
//	          uploaded ───────────────────────────────── served as long as the process runs
//	begin ──┤ stored ─────────────────┐
//	          none ── order ── kept ──┴── served ── two thirds of its time are over ── order
//	                    │  ↑
//	                  failed: a pause
type keeper struct {
	m    *Manager
	name string
	key  string // in the store

	ctx   context.Context
	end   context.CancelFunc
	hurry chan struct{} // wakes run

	leaf atomic.Pointer[tls.Certificate] // nil: there is none

	mu       sync.Mutex
	why      error     // of the last attempt; nil after a success
	due      time.Time // of the next attempt
	tried    time.Time
	failures int
}

// begin serves what is there already, and starts what has to go on. Its caller has added it to the manager's loops.
func (k *keeper) begin() {
	if k.settled() {
		k.m.loops.Done()
		return
	}
	k.recall()
	if k.m.local != nil {
		k.tend()
	}
	go func() {
		defer k.m.loops.Done()
		k.run()
	}()
}

// settled reports whether nothing is to be ordered for the name: it has an uploaded certificate, or never gets another.
func (k *keeper) settled() bool {
	u := uploadFor(k.m.uploads, k.name)
	if u != nil && u.unusable == nil {
		k.leaf.Store(u.cert)
		return true
	}
	refused := k.m.issuer.refuses(k.name)
	if refused != nil && u != nil {
		refused = u.unusable
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.why = refused
	return refused != nil
}

// recall serves what is in the store.
func (k *keeper) recall() {
	leaf, err := k.m.vault.leaf(k.ctx, k.key)
	if err != nil {
		k.m.log.Warn("stored certificate cannot be used, another one is ordered", "host", k.name, "error", err)
	}
	if leaf != nil && time.Now().Before(leaf.Leaf.NotAfter) {
		k.serve(leaf, time.Time{})
	}
}

// serve puts a certificate in the place of the one that is served, and sets when it is renewed: not before earliest.
func (k *keeper) serve(leaf *tls.Certificate, earliest time.Time) {
	k.leaf.Store(leaf)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.why, k.failures, k.due = nil, 0, renewal(leaf.Leaf)
	if k.due.Before(earliest) {
		k.due = earliest
	}
}

func (k *keeper) run() {
	for {
		timer := time.NewTimer(k.tend())
		select {
		case <-k.ctx.Done():
			timer.Stop()
			return
		case <-k.hurry:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// tend orders a certificate if that is due, and tells how long nothing is to be done then.
func (k *keeper) tend() time.Duration {
	if k.wait() <= 0 {
		k.attempt()
	}
	return min(k.wait(), k.m.pace.look)
}

func (k *keeper) wait() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Until(k.due)
}

func (k *keeper) attempt() {
	leaf, err := k.order()
	now := time.Now().Round(0) // by the wall clock, which goes on while a machine is suspended
	if err != nil {
		k.fail(err, now)
		return
	}
	// A certificate that is to be renewed at once, as by a clock that is wrong, shall not be ordered in a loop.
	k.serve(leaf, now.Add(k.m.pace.pauses[0]))
	k.m.log.Info("certificate is ready", "host", k.name, "until", leaf.Leaf.NotAfter)
}

func (k *keeper) order() (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(k.ctx, k.m.pace.order)
	defer cancel()
	leaf, text, err := order(ctx, k.m.issuer, k.name)
	if err != nil {
		return nil, err
	}
	if err := k.m.vault.keep(k.ctx, k.key, text); err != nil {
		k.m.log.Warn("certificate is served, but will be ordered anew after a restart", "host", k.name, "error", err)
	}
	return leaf, nil
}

// fail notes why there is no new certificate, and when to try again.
func (k *keeper) fail(err error, now time.Time) {
	if k.ctx.Err() != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	pause := k.m.pace.pauses[min(k.failures, len(k.m.pace.pauses)-1)]
	k.failures++
	k.tried, k.due = now, now.Add(pause)
	k.why = fmt.Errorf("%w; next attempt at %s", err, k.due.UTC().Format(time.RFC3339))
	k.m.log.Warn("no certificate", "host", k.name, "error", err, "next", k.due)
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
