package router

import (
	"hash/maphash"
	"maps"
)

// shardCount makes a swap cheap for any size of table: with 10,000 hosts it copies the shards' addresses (8 KB)
// and some ten entries per host that changes.
const shardCount = 1024

// table maps canonical hosts to pools. It never changes once it is stored: readers take no lock, and a request
// sees either all of a change or nothing of it.
//
//	Router.table ──► shards ──► [0] host → entry, host → entry
//	                            [1] …            a new table shares every shard that an edit left alone
type table struct {
	seed   maphash.Seed // random, so that nobody can choose hosts that share a shard
	shards [shardCount]map[string]entry
}

type entry struct {
	owner string
	pool  *pool
}

func newTable() *table {
	return &table{seed: maphash.MakeSeed()}
}

// lookup returns nil for a host that nobody owns.
func (t *table) lookup(host string) *pool {
	return t.shards[t.shard(host)][host].pool
}

func (t *table) shard(host string) int {
	return int(maphash.String(t.seed, host) % shardCount)
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

// put gives a host to an owner and returns who had it, "" for nobody.
func (e *edit) put(host, owner string, p *pool) (previous string) {
	shard := e.writable(host)
	previous = shard[host].owner
	shard[host] = entry{owner: owner, pool: p}
	return previous
}

// remove leaves a host alone that has gone over to another owner.
func (e *edit) remove(host, owner string) {
	if e.next.shards[e.next.shard(host)][host].owner == owner {
		delete(e.writable(host), host)
	}
}

func (e *edit) writable(host string) map[string]entry {
	i := e.next.shard(host)
	if !e.own[i] {
		e.own[i] = true
		e.next.shards[i] = maps.Clone(e.next.shards[i])
		if e.next.shards[i] == nil {
			e.next.shards[i] = map[string]entry{}
		}
	}
	return e.next.shards[i]
}
