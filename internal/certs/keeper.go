package certs

import (
	"context"
	"crypto/tls"
	"sync"
	"sync/atomic"
	"time"
)

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
	asked    time.Time // when the directory was asked for advice
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

func (k *keeper) run() {
	for k.ctx.Err() == nil {
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
	if k.asksNow(time.Now()) {
		k.heed()
	}
	if k.wait() <= 0 {
		k.attempt()
	}
	return min(k.wait(), k.m.pace.look, k.m.pace.advice)
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

// heed asks the directory whether it wants the certificate replaced before its time, as where it has to revoke it.
func (k *keeper) heed() {
	ctx, cancel := context.WithTimeout(k.ctx, k.m.pace.order)
	defer cancel()
	early, err := k.m.acme.wantsBack(ctx, k.leaf.Load())
	if err != nil {
		k.m.log.Debug("no advice on renewal", "host", k.name, "error", err)
		return
	}
	if !early.IsZero() {
		k.advance(early)
	}
}

func (k *keeper) order() (*tls.Certificate, error) {
	ctx, cancel := context.WithTimeout(k.ctx, k.m.pace.order)
	defer cancel()
	leaf, text, err := order(ctx, k.m.issuer, k.name)
	if err != nil {
		return nil, err
	}
	if err := k.m.vault.keep(context.WithoutCancel(k.ctx), k.key, text); err != nil {
		k.m.log.Warn("certificate is served, but will be ordered anew after a restart", "host", k.name, "error", err)
	}
	return leaf, nil
}
