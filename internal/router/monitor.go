package router

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// monitor asks one upstream one check, over and over, in a goroutine of its own that Close waits for.
type monitor struct {
	router   *Router
	upstream *upstream
	addr     string
	key      string
	check    func(ctx context.Context, addr string) error
	stop     context.CancelFunc
}

// Health is what the checks say of an upstream.
type Health struct {
	Healthy     bool  // in route; an upstream enters as healthy
	Proven      bool  // false until a check has passed, for one that was Unproven
	Failures    int   // consecutive ones up to now
	LastFailure error // nil when no check ever failed
}

// Health tells the state of every upstream in the table, by its ID.
func (r *Router) Health() map[string]Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	health := make(map[string]Health, len(r.upstreams))
	for id, u := range r.upstreams {
		if !u.retired.Load() {
			health[id] = u.health()
		}
	}
	return health
}

func (u *upstream) health() Health {
	u.mu.Lock()
	defer u.mu.Unlock()
	return Health{Healthy: u.healthy.Load(), Proven: u.proven.Load(), Failures: u.failures, LastFailure: u.lastFailure}
}

// ensureMonitor starts a monitor unless the same one is running. The verdict stays until the new check gives its
// own, and an upstream that is out is asked at once.
func (r *Router) ensureMonitor(u *upstream, addr string, rule rule) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.monitor != nil {
		if u.monitor.key == rule.checkKey && u.monitor.addr == addr {
			return
		}
		u.monitor.stop()
	}
	ctx, stop := context.WithCancel(r.life)
	u.failures = 0
	m := &monitor{router: r, upstream: u, addr: addr, key: rule.checkKey, check: rule.check, stop: stop}
	u.monitor = m
	r.monitors.Go(func() { m.run(ctx) })
}

func (u *upstream) stopMonitor() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.monitor != nil {
		u.monitor.stop()
		u.monitor = nil
	}
}

func (m *monitor) run(ctx context.Context) {
	begun := time.Now()
	var wait time.Duration
	if m.upstream.healthy.Load() && m.upstream.proven.Load() {
		wait = rand.N(m.router.config.ProbeInterval) // spreads those that were routed together
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			m.ask(ctx)
			timer.Reset(m.pause(time.Since(begun)))
		}
	}
}

// firstPause is the shortest time between two checks of an upstream that has not passed any.
const firstPause = 100 * time.Millisecond

// pause is the usual interval, give or take a tenth. While the upstream is unproven it is a quarter of the time that
// it has taken to start up to now, so that its readiness is not noticed long after the event.
func (m *monitor) pause(sinceBegun time.Duration) time.Duration {
	interval := m.router.config.ProbeInterval
	if !m.upstream.proven.Load() {
		return min(interval, max(firstPause, sinceBegun/4))
	}
	return interval - interval/10 + rand.N(interval/5+1)
}

func (m *monitor) ask(ctx context.Context) {
	probing, cancel := context.WithTimeout(ctx, m.router.config.ProbeTimeout)
	defer cancel()
	err := m.check(probing, m.addr)
	if ctx.Err() != nil {
		return // stopped meanwhile: says nothing about the upstream
	}
	m.judge(err)
}

// judge counts a check in and moves the upstream out of its routes, or back.
func (m *monitor) judge(err error) {
	u := m.upstream
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.monitor != m {
		return // another check has taken over
	}
	if err == nil {
		u.failures = 0
		m.welcome()
		return
	}
	u.failures++
	u.lastFailure = err
	if u.failures >= m.router.config.FailuresToRemove && u.healthy.CompareAndSwap(true, false) {
		level := slog.LevelWarn
		if !u.proven.Load() {
			level = slog.LevelDebug // it is starting: there is nothing yet that was lost
		}
		m.router.log.Log(context.Background(), level, "upstream is out of its routes", "upstream", u.id, "addr", m.addr,
			"failures", u.failures, "last", err)
	}
}

// welcome puts the upstream into its routes, where it begins slowly if it was not there before.
func (m *monitor) welcome() {
	u := m.upstream
	if u.proven.Load() && u.healthy.Load() {
		return
	}
	u.warmUp(m.router.config.SlowStart)
	u.proven.Store(true)
	if u.healthy.CompareAndSwap(false, true) {
		m.router.log.Info("upstream is back in its routes", "upstream", u.id, "addr", m.addr)
	}
}
