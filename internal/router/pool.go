package router

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
)

// pool is what answers at one place in one table: upstreams, or another host.
type pool struct {
	redirect  string // canonical host, "" where members answer
	members   []member
	slowStart time.Duration
	turn      atomic.Uint32 // where the next choice begins, so that equals take turns
}

// member keeps the address beside the upstream's state: the address belongs to a table, the state outlives it.
type member struct {
	upstream *upstream
	addr     string
}

// rank says which members go before others, whatever there is in flight.
type rank uint8

const (
	ready    rank = iota
	resting       // refused a connection a moment ago: failing is quick, so that it would always look the least busy
	unproven      // no check has passed yet
	hopeless      // both
	out           // unhealthy, or has refused this very request
)

// choose returns the member of the best rank with the fewest requests in flight, leaving out those in refused. It
// returns nil when nobody is left.
func (p *pool) choose(refused []*upstream) *member {
	var best *member
	bestRank, warming := out, false
	now := time.Now().UnixNano()
	start := int(p.turn.Add(1))
	for i := range p.members {
		m := &p.members[(start+i)%len(p.members)]
		rank := m.upstream.rank(now)
		if rank == out || slices.Contains(refused, m.upstream) {
			continue
		}
		warming = warming || m.upstream.warmAt.Load() > now
		if rank < bestRank || rank == bestRank && m.upstream.inFlight.Load() < best.upstream.inFlight.Load() {
			best, bestRank = m, rank
		}
	}
	if warming && len(p.members) > 1 {
		if m := p.chooseSlowly(refused, bestRank, now, start); m != nil { // nil: the ranks have changed meanwhile
			return m
		}
	}
	return best
}

const (
	// coldWeight is what a fresh member's share of requests begins with, as a part of the full one.
	coldWeight = 0.1
	// equalWeight is how near to the warmest a member counts as warm as that: those that were started together
	// differ by the time that their checks took.
	equalWeight = 0.95
)

// chooseSlowly is choose while some members of that rank are fresher than others, which shall be neither flooded nor
// left without work. A fresh one takes part in so many choices as are its share by weight, and wins a tie in them;
// what it has in flight counts the more the fresher it is.
func (p *pool) chooseSlowly(refused []*upstream, of rank, now int64, start int) *member {
	var most, sum float64
	for i := range p.members {
		if u := p.members[i].upstream; u.rank(now) == of && !slices.Contains(refused, u) {
			weight := u.weight(now, p.slowStart)
			most, sum = max(most, weight), sum+weight
		}
	}
	var best *member
	var bestLoad float64
	for i := range p.members {
		m := &p.members[(start+i)%len(p.members)]
		if m.upstream.rank(now) != of || slices.Contains(refused, m.upstream) {
			continue
		}
		weight, load := m.upstream.weight(now, p.slowStart), float64(m.upstream.inFlight.Load())
		fresh := weight < equalWeight*most
		if fresh && rand.Float64() >= weight/sum {
			continue
		}
		if fresh {
			load = load*most/weight - 0.5 // wins against those with as many
		}
		if best == nil || load < bestLoad {
			best, bestLoad = m, load
		}
	}
	return best
}
