package host

import (
	"errors"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/setops"
)

func TestOnlyProbesWithoutAnAnswerTakeLonger(t *testing.T) {
	a := &attendance{s: &Supervisor{cfg: Config{}.withDefaults()}}
	a.useGate(&setops.NetworkCheck{Protocol: setops.TCP})
	want := func(limit time.Duration) {
		t.Helper()
		if a.gate.limit != limit {
			t.Errorf("a probe may take %s, not %s", a.gate.limit, limit)
		}
	}
	want(time.Second)
	a.answer(&probe.Failure{Kind: probe.KindConnect, Err: errors.New("refused")})
	want(time.Second)
	for _, limit := range []time.Duration{2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second} {
		a.answer(&probe.Failure{Kind: probe.KindTimeout})
		want(limit)
	}
}
