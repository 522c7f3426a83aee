package router

import (
	"context"
	"time"
)

// holding is what one owner has in the table.
type holding struct {
	pools     map[place]*pool
	upstreams map[string]*upstream
}

// rule is what routes and streams have in common.
type rule struct {
	at        place
	redirect  string
	upstreams []Upstream
	unproven  bool
	check     func(ctx context.Context, addr string) error
	checkKey  string
}

func (routes Routes) rules(owner string) []rule {
	rules := make([]rule, 0, len(routes.HTTP)+len(routes.TCP))
	for _, r := range routes.HTTP {
		at := hostPlace(public, "", r.Host)
		if r.Private {
			at = hostPlace(private, owner, r.Host)
		}
		rules = append(rules, rule{at, canonicalHost(r.Redirect), r.Upstreams, r.Unproven, r.Check, r.CheckKey})
	}
	for _, s := range routes.TCP {
		at := place{kind: stream, owner: owner, name: s.Key}
		rules = append(rules, rule{at, "", s.Upstreams, s.Unproven, s.Check, s.CheckKey})
	}
	return rules
}

// Set replaces all that an owner has in one switch: a request that begins after any other saw the new routes sees them
// too, at each of their hosts and ports. Empty Routes remove the owner. Other owners' routes, connections of clients,
// requests in flight and all that is known of upstreams that stay are untouched.
//
// When Set returns, no request will begin at an upstream that has left the table: Drain may be called.
func (r *Router) Set(owner string, routes Routes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rules := routes.rules(owner)
	before, after := r.owners[owner], r.hold(rules)
	r.keep(before, after)

	edit := r.table.Load().edit()
	for at := range before.pools {
		if after.pools[at] == nil {
			edit.remove(at, owner)
		}
	}
	for at, pool := range after.pools {
		if previous := edit.put(at, owner, pool); previous != "" && previous != owner {
			r.log.Warn("host changes its owner", "host", at.name, "from", previous, "to", owner)
		}
	}
	r.table.Store(edit.next)

	r.owners[owner] = after
	if len(rules) == 0 {
		delete(r.owners, owner)
	}
	r.dismiss(before, after)
	r.watch(rules, after)
}

// hold finds or makes the upstreams of rules and puts them into new pools.
func (r *Router) hold(rules []rule) holding {
	h := holding{pools: make(map[place]*pool, len(rules)), upstreams: map[string]*upstream{}}
	warmAt := time.Now().Add(r.config.SlowStart).UnixNano() // the same for all that are new together
	for _, rule := range rules {
		p := &pool{
			redirect: rule.redirect, members: make([]member, 0, len(rule.upstreams)), slowStart: r.config.SlowStart,
		}
		for _, up := range rule.upstreams {
			u := r.upstreams[up.ID]
			if u == nil {
				u = newUpstream(up.ID)
				u.warmAt.Store(warmAt)
				r.upstreams[up.ID] = u
			}
			if !rule.unproven || rule.check == nil { // nobody would ever prove it
				u.proven.Store(true)
			}
			h.upstreams[up.ID] = u
			p.members = append(p.members, member{upstream: u, addr: up.Addr})
		}
		h.pools[rule.at] = p
	}
	return h
}

// keep runs before the switch: an upstream must not look departed in a table that has it.
func (r *Router) keep(before, after holding) {
	for id, u := range after.upstreams {
		if before.upstreams[id] != nil {
			continue
		}
		u.holders++
		if u.retired.CompareAndSwap(true, false) {
			u.announce()
		}
	}
}

// dismiss runs after the switch: whoever finds an upstream departed must find the new table too.
func (r *Router) dismiss(before, after holding) {
	for id, u := range before.upstreams {
		if after.upstreams[id] != nil {
			continue
		}
		if u.holders--; u.holders > 0 {
			continue
		}
		u.retired.Store(true)
		u.stopMonitor()
		r.forgetIdle(u)
	}
}

// forget drops an upstream that nobody has a use for any more. A request that came and went meanwhile may have
// done so already, and a Set may have taken it back.
func (r *Router) forget(u *upstream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgetIdle(u)
}

// forgetIdle is forget for those who hold Router.mu.
func (r *Router) forgetIdle(u *upstream) {
	if u.retired.Load() && u.inFlight.Load() == 0 && r.upstreams[u.id] == u {
		delete(r.upstreams, u.id)
	}
}

// watch sees to it that each upstream is asked by the check of its first rule that has one.
func (r *Router) watch(rules []rule, held holding) {
	if r.closed {
		return
	}
	seen := make(map[string]bool, len(held.upstreams))
	for _, rule := range rules {
		if rule.check == nil {
			continue
		}
		for _, up := range rule.upstreams {
			if !seen[up.ID] {
				seen[up.ID] = true
				r.ensureMonitor(held.upstreams[up.ID], up.Addr, rule)
			}
		}
	}
	for id, u := range held.upstreams {
		if !seen[id] {
			u.stopMonitor()
			u.healthy.Store(true) // nobody would put it back
		}
	}
}
