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
	turn      atomic.Uint32 // counts choices between equals
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

// choose returns the member of the best rank with the fewest requests in flight, leaving out those in refused. Equals
// take turns. It returns nil when nobody is left.
func (p *pool) choose(refused []*upstream) *member {
	var first *member
	var fewest int64
	bestRank, equals, warming := out, 0, false
	now := time.Now().UnixNano()
	for i := range p.members {
		m := &p.members[i]
		rank, load := m.upstream.rank(now), m.upstream.inFlight.Load()
		if rank == out || slices.Contains(refused, m.upstream) {
			continue
		}
		warming = warming || m.upstream.warmAt.Load() > now
		switch {
		case first == nil || rank < bestRank || rank == bestRank && load < fewest:
			first, bestRank, fewest, equals = m, rank, load, 1
		case rank == bestRank && load == fewest:
			equals++
		}
	}
	if warming && len(p.members) > 1 {
		if m := p.chooseSlowly(refused, bestRank, now); m != nil {
			return m
		}
	}
	if equals > 1 {
		return p.takeTurn(first, equals, refused, bestRank, fewest, now)
	}
	return first
}

// takeTurn returns the next one of equals. Turns are counted among these alone: if members were passed over in a round
// of all, the one behind them would have two turns.
func (p *pool) takeTurn(first *member, equals int, refused []*upstream, of rank, load, now int64) *member {
	skip := int(p.turn.Add(1) % uint32(equals))
	for i := range p.members {
		m := &p.members[i]
		if m.upstream.inFlight.Load() != load || m.upstream.rank(now) != of || slices.Contains(refused, m.upstream) {
			continue
		}
		if skip == 0 {
			return m
		}
		skip--
	}
	return first // some have got busy meanwhile
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
// what it has in flight counts the more the fresher it is. It returns nil when all are as fresh as each other.
func (p *pool) chooseSlowly(refused []*upstream, of rank, now int64) *member {
	var most, least, sum float64
	for i := range p.members {
		if u := p.members[i].upstream; u.rank(now) == of && !slices.Contains(refused, u) {
			weight := u.weight(now, p.slowStart)
			if sum == 0 {
				least = weight
			}
			most, least, sum = max(most, weight), min(least, weight), sum+weight
		}
	}
	if least >= equalWeight*most {
		return nil
	}
	var best *member
	var fewest float64
	equals := 0
	for i := range p.members {
		m := &p.members[i]
		if m.upstream.rank(now) != of || slices.Contains(refused, m.upstream) {
			continue
		}
		weight, load := m.upstream.weight(now, p.slowStart), float64(m.upstream.inFlight.Load())
		if weight < equalWeight*most {
			if rand.Float64() >= weight/sum {
				continue
			}
			load = load*most/weight - 0.5 // wins against those with as many
		}
		switch {
		case best == nil || load < fewest:
			best, fewest, equals = m, load, 1
		case load == fewest:
			if equals++; rand.IntN(equals) == 0 { // each of them in the end with the same chance
				best = m
			}
		}
	}
	return best
}
