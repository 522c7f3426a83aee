package router

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// The race is too narrow to be met from outside, so this test knows the inside: what Set and Drain do to one
// upstream, while requests come in that found it in an old table. With -race it finds a wrong order in most runs.
func TestNobodyEntersAnUpstreamThatWasFoundIdle(t *testing.T) {
	for range 20_000 {
		u := newUpstream("a")
		var begun, stopped atomic.Bool
		var requests sync.WaitGroup
		for range 3 {
			requests.Go(func() {
				for u.enter() {
					if stopped.Load() {
						t.Error("a request is at an upstream that was found idle")
					}
					u.leave()
					begun.Store(true)
					runtime.Gosched()
				}
			})
		}
		for !begun.Load() {
			runtime.Gosched()
		}
		u.retired.Store(true)
		for change := u.change(); u.inFlight.Load() != 0; change = u.change() {
			<-change
		}
		stopped.Store(true)
		requests.Wait()
		if n := u.inFlight.Load(); n != 0 {
			t.Fatalf("%d requests are counted at the end", n)
		}
	}
}
