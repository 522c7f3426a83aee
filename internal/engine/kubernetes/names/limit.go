package names

import (
	"net/netip"
	"sync"
)

// How many questions may wait for an answer; more are to be asked again. One client cannot take the places of all.
const (
	mostOfOne = 128
	mostOfAll = 4096
)

// limit counts the questions that wait.
type limit struct {
	mu  sync.Mutex
	all int
	of  map[netip.Addr]int
}

func newLimit() *limit { return &limit{of: map[netip.Addr]int{}} }

// take takes a place, which give gives back; false: there is none.
func (l *limit) take(client netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= mostOfAll || l.of[client] >= mostOfOne {
		return false
	}
	l.all++
	l.of[client]++
	return true
}

func (l *limit) give(client netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.of[client]--; l.of[client] == 0 {
		delete(l.of, client)
	}
}
