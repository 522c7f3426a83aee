//go:build linux

package network

import (
	"fmt"
	"testing"
	"time"
)

// TestNoFirstPacketIsLostOnTheWayToAContainer looks at the quickest of several ways: what is lost comes again after a second, each
// time, where a busy machine is late now and then.
func TestNoFirstPacketIsLostOnTheWayToAContainer(t *testing.T) {
	h := newHost(t)
	n := h.network("0badcafe")
	h.stage(n, "live")
	caller := h.attach(n, "live", "caller")
	quickest := map[string]time.Duration{}
	timed := func(what string, f func()) {
		start := time.Now()
		f()
		took := time.Since(start)
		if last, before := quickest[what]; !before || took < last {
			quickest[what] = took
		}
	}
	for i := range 5 {
		var called Endpoint
		timed("a container", func() { called = h.attach(n, "live", fmt.Sprint("called-", i)) })
		port := h.serve(called.NetNSPath, "0.0.0.0")
		timed("the first connection of the host", func() { h.mustReach(h.netns, called.IP, port) })
		timed("the first connection of another", func() { h.mustReach(caller.NetNSPath, called.IP, port) })
	}
	for what, took := range quickest {
		t.Logf("%-40s %s", what, took.Round(10*time.Microsecond))
		if took > 900*time.Millisecond {
			t.Errorf("%s took %s", what, took)
		}
	}
}
