// Package freeport finds ports for servers that a test starts later, or again after a crash. A port that the kernel picks may be a
// client's by then; these are below those that it picks from, and below those of a cluster's nodes.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

const lowest, end = 10_000, 30_000

// given goes through the ports from one that other processes hardly begin with: tests run beside each other, and nobody listens while
// a server is dead.
var given struct {
	sync.Mutex
	next int
}

// Row gives the first of n ports in a row that nobody listens on at 127.0.0.1, and that this process was not given before.
func Row(n int) (first int, err error) {
	given.Lock()
	defer given.Unlock()
	if given.next == 0 {
		given.next = lowest + rand.IntN(end-lowest)
	}
	for tried := 0; tried < 2*(end-lowest); tried++ {
		if given.next+n > end {
			given.next = lowest
		}
		first, given.next = given.next, given.next+1
		if areFree(first, n) {
			given.next = first + n
			return first, nil
		}
	}
	return 0, fmt.Errorf("there are no %d free ports in a row between %d and %d", n, lowest, end)
}

// Address is 127.0.0.1 with one port.
func Address() (string, error) {
	port, err := Row(1)
	return address(port), err
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func areFree(first, n int) bool {
	if first < lowest || first+n > end {
		return false
	}
	for port := first; port < first+n; port++ {
		l, err := net.Listen("tcp", address(port))
		if err != nil {
			return false
		}
		l.Close() //nolint:errcheck // nobody has called
	}
	return true
}
