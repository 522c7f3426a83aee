package router

import (
	"hash/maphash"
	"maps"
)

// shardCount makes a swap cheap for any size of table: with 10,000 hosts it copies the shards' addresses (8 KB)
// and some ten entries per host that changes.
const shardCount = 1024

// table maps places to pools. It never changes once it is stored: readers take no lock, and a request sees either all
// of a change or nothing of it.
//
//	Router.table ──► shards ──► [0] place → entry, place → entry
//	                            [1] …            a new table shares every shard that an edit left alone
type table struct {
	seed   maphash.Seed // random, so that nobody can choose hosts that share a shard
	shards [shardCount]map[place]entry
}

// place is where a pool is found.
type place struct {
	kind     kind
	wildcard bool   // name begins with the dot behind the star
	owner    string // "" for public hosts: all owners share them
	name     string // canonical host, or a stream's key
}

type kind uint8

const (
	public kind = iota
	private
	stream
)

type entry struct {
	owner string
	pool  *pool
}

func newTable() *table {
	return &table{seed: maphash.MakeSeed()}
}

// find returns nil for a place that nobody owns. A host that is named exactly goes before a wildcard.
func (t *table) find(at place) *pool {
	if pool := t.get(at).pool; pool != nil || at.kind == stream {
		return pool
	}
	label, domain := splitLabel(at.name)
	if !isLabel(label) {
		return nil
	}
	at.wildcard, at.name = true, domain
	return t.get(at).pool
}

func (t *table) get(at place) entry {
	return t.shards[t.shard(at)][at]
}

// shard looks at the name only, which tells enough places apart.
func (t *table) shard(at place) int {
	return int(maphash.String(t.seed, at.name) % shardCount)
}

// edit is a table in the making. Shards are copied when they are first written to.
type edit struct {
	next *table
	own  [shardCount]bool
}

func (t *table) edit() *edit {
	next := *t
	return &edit{next: &next}
}

// put gives a place to an owner and returns who had it, "" for nobody.
func (e *edit) put(at place, owner string, p *pool) (previous string) {
	shard := e.writable(at)
	previous = shard[at].owner
	shard[at] = entry{owner: owner, pool: p}
	return previous
}

// remove leaves a place alone that has gone over to another owner.
func (e *edit) remove(at place, owner string) {
	if e.next.get(at).owner == owner {
		delete(e.writable(at), at)
	}
}

func (e *edit) writable(at place) map[place]entry {
	i := e.next.shard(at)
	if !e.own[i] {
		e.own[i] = true
		e.next.shards[i] = maps.Clone(e.next.shards[i])
		if e.next.shards[i] == nil {
			e.next.shards[i] = map[place]entry{}
		}
	}
	return e.next.shards[i]
}
