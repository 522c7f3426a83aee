package router

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router/transport"
)

// aged is a pool whose members have spent these parts of their slow start.
func aged(parts ...float64) *pool {
	const slowStart = time.Hour // so that nobody gets warmer while a test runs
	p := &pool{slowStart: slowStart}
	for i, part := range parts {
		u := newUpstream(fmt.Sprint(i))
		u.proven.Store(true)
		u.warmUp(time.Duration(float64(slowStart) * (1 - part)))
		p.members = append(p.members, member{upstream: u})
	}
	return p
}

// shares makes choices while each member has so many requests in flight, and returns each one's part of them.
func (p *pool) shares(inFlight ...int64) []float64 {
	const choices = 40_000
	for i, n := range inFlight {
		p.members[i].upstream.inFlight.Store(n)
	}
	shares := make([]float64, len(p.members))
	for range choices {
		chosen := p.choose(nil)
		for i := range p.members {
			if chosen == &p.members[i] {
				shares[i] += 1. / choices
			}
		}
	}
	return shares
}

func TestAFreshUpstreamGetsAShareThatGrows(t *testing.T) {
	tests := []struct {
		parts    []float64
		inFlight []int64
		want     []float64
	}{
		{[]float64{1, 0}, nil, []float64{0.909, 0.091}},                     // 1 : 0.1
		{[]float64{1, 0.5}, nil, []float64{0.645, 0.355}},                   // 1 : 0.55
		{[]float64{1, 1, 1, 0}, nil, []float64{0.323, 0.323, 0.323, 0.032}}, // 1 : 1 : 1 : 0.1
		{[]float64{1, 0}, []int64{50, 0}, []float64{0.909, 0.091}},          // idle, yet not flooded
		{[]float64{1, 0}, []int64{50, 6}, []float64{1, 0}},                  // it has more than a tenth of the other's
		{[]float64{1, 0}, []int64{0, 1}, []float64{1, 0}},
		{[]float64{1, 1}, []int64{1, 0}, []float64{0, 1}},
		{[]float64{0, 0}, nil, []float64{0.5, 0.5}}, // equals take turns
		{[]float64{0.2, 0.2, 0.2}, []int64{1, 0, 1}, []float64{0, 1, 0}},
		{[]float64{0.500, 0.501}, nil, []float64{0.5, 0.5}}, // as good as equal
		{[]float64{1, 1}, nil, []float64{0.5, 0.5}},
		{[]float64{0}, nil, []float64{1}},
	}
	for _, test := range tests {
		got := aged(test.parts...).shares(test.inFlight...)
		for i := range got {
			if d := got[i] - test.want[i]; d < -0.015 || d > 0.015 {
				t.Errorf("parts %v with %v in flight got %.3f, want %.3f", test.parts, test.inFlight, got, test.want)
				break
			}
		}
	}
}

func TestOnlyAFreshUpstreamIsLeft(t *testing.T) {
	p := aged(1, 0)
	warm, fresh := p.members[0].upstream, p.members[1].upstream
	for range 100 {
		if m := p.choose([]*upstream{warm}); m.upstream != fresh {
			t.Fatal("the fresh one was not chosen though the other has refused")
		}
	}
	warm.healthy.Store(false)
	for range 100 {
		if m := p.choose(nil); m == nil || m.upstream != fresh {
			t.Fatal("the fresh one was not chosen though the other is out")
		}
	}
	if p.choose([]*upstream{fresh}) != nil {
		t.Error("somebody was chosen though nobody is left")
	}
}

func TestRanksGoBeforeWhatIsInFlight(t *testing.T) {
	p := aged(1, 1, 1, 1)
	p.members[0].upstream.inFlight.Store(100)
	p.members[1].upstream.refused(nil)
	p.members[2].upstream.proven.Store(false)
	p.members[3].upstream.proven.Store(false)
	p.members[3].upstream.refused(nil)
	var refused []*upstream
	for i := range p.members {
		m := p.choose(refused)
		if m != &p.members[i] {
			t.Fatalf("choice %d is %s", i, m.upstream.id)
		}
		refused = append(refused, m.upstream)
	}
}

// Each try of a machine that is silent costs a request seconds.
func TestAMachineThatIsSilentIsSparedForLongerThanOneThatRefuses(t *testing.T) {
	u := newUpstream("task")
	u.proven.Store(true)
	u.refused(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	later := time.Now().Add(2 * restAfterRefusal).UnixNano()
	if u.rank(later) != ready {
		t.Error("one that refused is spared for too long")
	}
	u.refused(&transport.DialError{Err: &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}})
	if u.rank(later) != resting {
		t.Error("one that is silent is not spared")
	}
}

func TestTheTurnOfAMemberThatIsOutIsSharedByAllOthers(t *testing.T) {
	p := aged(1, 1, 1, 1)
	p.members[1].upstream.healthy.Store(false)
	got := p.shares()
	for i, want := range []float64{1. / 3, 0, 1. / 3, 1. / 3} {
		if d := got[i] - want; d < -0.001 || d > 0.001 {
			t.Fatalf("shares are %.3f", got)
		}
	}
}
