package host

import (
	"errors"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

func newHealth(start time.Time) *health {
	return &health{
		check: setops.HealthCheck{Interval: 10, Timeout: 10, Retries: 3, StartPeriod: 15},
		unit:  time.Second, first: time.Second, start: start,
	}
}

// no is a run that failed.
var no = &checkFailure{err: errors.New("no")}

func TestFailuresInTheStartPeriodDoNotCount(t *testing.T) {
	start := time.Now()
	h := newHealth(start)
	for s := range 15 {
		h.fail(start.Add(time.Duration(s)*time.Second), no)
	}
	if h.failures != 0 || h.last != no {
		t.Errorf("got %+v", h)
	}
}

func TestUntilTheFirstSuccessAFailureCountsOncePerInterval(t *testing.T) {
	start := time.Now()
	h := newHealth(start)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	for s := 15; s < 35; s++ {
		h.fail(at(s), no)
	}
	if h.failures != 2 || h.unhealthy() {
		t.Errorf("after 20 s: %+v", h)
	}
	if h.fail(at(35), no); !h.unhealthy() || h.why() != "container health check failed 3 times: no" {
		t.Errorf("after 30 s: %+v", h)
	}
}

func TestAfterTheFirstSuccessEachFailureInARowCounts(t *testing.T) {
	start := time.Now()
	h := newHealth(start)
	if h.pause() != time.Second {
		t.Errorf("pause before the first success: %s", h.pause())
	}
	h.pass()
	if h.pause() != 10*time.Second {
		t.Errorf("pause after the first success: %s", h.pause())
	}
	late := start.Add(time.Minute)
	h.fail(late, no)
	h.fail(late.Add(time.Second), no)
	if h.unhealthy() || h.failures != 2 {
		t.Errorf("got %+v", h)
	}
	h.pass()
	h.fail(late, no)
	if h.failures != 1 {
		t.Errorf("a success does not end the row: %+v", h)
	}
}

func TestAShortIntervalIsNotStretchedBeforeTheFirstSuccess(t *testing.T) {
	h := newHealth(time.Now())
	h.unit = 10 * time.Millisecond
	if h.pause() != 100*time.Millisecond {
		t.Errorf("got %s", h.pause())
	}
}
