package router

import (
	"slices"
	"sync/atomic"
	"time"
)

// pool is the upstreams of one host in one table.
type pool struct {
	members []member
	turn    atomic.Uint32 // where the next choice begins, so that equals take turns
}

// member keeps the address beside the upstream's state: the address belongs to a table, the state outlives it.
type member struct {
	upstream *upstream
	addr     string
}

// choose returns the healthy member with the fewest requests in flight, leaving out those in refused. One that
// refused a connection a moment ago is taken only when there is no other: failing is quick, so that it would
// always look the least busy. It returns nil when nobody is left.
func (p *pool) choose(refused []*upstream) *member {
	var best, resort *member
	now := time.Now()
	start := int(p.turn.Add(1))
	for i := range p.members {
		m := &p.members[(start+i)%len(p.members)]
		switch {
		case !m.upstream.healthy.Load() || slices.Contains(refused, m.upstream):
		case m.upstream.resting(now):
			resort = lessBusy(resort, m)
		default:
			best = lessBusy(best, m)
		}
	}
	if best == nil {
		return resort
	}
	return best
}

func lessBusy(best, other *member) *member {
	if best == nil || other.upstream.inFlight.Load() < best.upstream.inFlight.Load() {
		return other
	}
	return best
}
