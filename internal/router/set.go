package router

import "slices"

// holding is what one owner has in the table.
type holding struct {
	pools     map[string]*pool // by canonical host
	upstreams map[string]*upstream
}

// Set replaces all routes of an owner in one switch: a request that begins after any other saw the new routes
// sees them too, for each of their hosts. No routes remove the owner. Other owners' routes, connections of
// clients, requests in flight and all that is known of upstreams that stay are untouched.
//
// When Set returns, no request will begin at an upstream that has left the table: Drain may be called.
func (r *Router) Set(owner string, routes Routes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, after := r.owners[owner], r.hold(routes.HTTP)
	r.keep(before, after)

	edit := r.table.Load().edit()
	for host := range before.pools {
		if after.pools[host] == nil {
			edit.remove(host, owner)
		}
	}
	for host, pool := range after.pools {
		if previous := edit.put(host, owner, pool); previous != "" && previous != owner {
			r.log.Warn("host changes its owner", "host", host, "from", previous, "to", owner)
		}
	}
	r.table.Store(edit.next)

	r.owners[owner] = after
	if len(routes.HTTP)+len(routes.TCP) == 0 {
		delete(r.owners, owner)
	}
	r.dismiss(before, after)
	r.watch(routes.HTTP, after)
}

// hold finds or makes the upstreams of routes and puts them into new pools.
func (r *Router) hold(routes []Route) holding {
	h := holding{pools: make(map[string]*pool, len(routes)), upstreams: map[string]*upstream{}}
	for _, route := range routes {
		p := &pool{members: make([]member, 0, len(route.Upstreams))}
		for _, up := range route.Upstreams {
			u := r.upstreams[up.ID]
			if u == nil {
				u = newUpstream(up.ID)
				r.upstreams[up.ID] = u
			}
			h.upstreams[up.ID] = u
			p.members = append(p.members, member{upstream: u, addr: up.Addr})
		}
		h.pools[canonicalHost(route.Host)] = p
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

// watch sees to it that each upstream is asked by the check of its first route that has one.
func (r *Router) watch(routes []Route, held holding) {
	if r.closed {
		return
	}
	seen := make(map[string]bool, len(held.upstreams))
	checked := slices.DeleteFunc(slices.Clone(routes), func(route Route) bool { return route.Check == nil })
	for _, route := range checked {
		for _, up := range route.Upstreams {
			if !seen[up.ID] {
				seen[up.ID] = true
				r.ensureMonitor(held.upstreams[up.ID], up.Addr, route)
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
