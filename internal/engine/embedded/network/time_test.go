//go:build linux

package network

import (
	"testing"
	"time"
)

// TestTimesOfTheWayToAContainer prints what a start waits for; it fails only where a step takes a hundred times what it
// should, as it does when a first packet is lost.
func TestTimesOfTheWayToAContainer(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	timed := func(what string, limit time.Duration, f func()) {
		t.Helper()
		start := time.Now()
		f()
		took := time.Since(start)
		t.Logf("%-40s %s", what, took.Round(10*time.Microsecond))
		if took > limit {
			t.Errorf("%s took %s", what, took)
		}
	}
	var a, b Endpoint
	timed("the first stage", 5*time.Second, func() { h.stage(n, "live") })
	timed("another stage", 2*time.Second, func() { h.stage(n, "test") })
	timed("a stage that is there", 500*time.Millisecond, func() { h.stage(n, "live") })
	timed("the first container", 900*time.Millisecond, func() { a = h.attach(n, "live", "a") })
	timed("another container", 900*time.Millisecond, func() { b = h.attach(n, "live", "b") })
	timed("a container that is there", 100*time.Millisecond, func() { h.attach(n, "live", "a") })
	port := h.serve(a.NetNSPath, "0.0.0.0")
	timed("the first connection of the host", 900*time.Millisecond, func() { h.mustReach(h.netns, a.IP, port) })
	timed("the first connection of another", 900*time.Millisecond, func() { h.mustReach(b.NetNSPath, a.IP, port) })
	timed("detaching", 5*time.Second, func() {
		if err := n.Detach(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
	})
}
