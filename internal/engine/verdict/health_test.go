package verdict

import (
	"errors"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

func newHealth(start time.Time) *Health {
	return &Health{
		Check: setops.HealthCheck{Interval: 10, Timeout: 10, Retries: 3, StartPeriod: 15},
		Unit:  time.Second, First: time.Second, Start: start,
	}
}

// no is a run that failed.
var no = &CheckFailure{err: errors.New("no")}

func TestFailuresInTheStartPeriodDoNotCount(t *testing.T) {
	start := time.Now()
	h := newHealth(start)
	for s := range 15 {
		h.Fail(start.Add(time.Duration(s)*time.Second), no)
	}
	if h.failures != 0 || h.Last != no {
		t.Errorf("got %+v", h)
	}
}

func TestUntilTheFirstSuccessAFailureCountsOncePerInterval(t *testing.T) {
	start := time.Now()
	h := newHealth(start)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	for s := 15; s < 35; s++ {
		h.Fail(at(s), no)
	}
	if h.failures != 2 || h.Unhealthy() {
		t.Errorf("after 20 s: %+v", h)
	}
	if h.Fail(at(35), no); !h.Unhealthy() || h.Why() != "container health check failed 3 times: no" {
		t.Errorf("after 30 s: %+v", h)
	}
}

func TestAfterTheFirstSuccessEachFailureInARowCounts(t *testing.T) {
	start := time.Now()
	h := newHealth(start)
	if h.Pause() != time.Second {
		t.Errorf("pause before the first success: %s", h.Pause())
	}
	h.Pass()
	if h.Pause() != 10*time.Second {
		t.Errorf("pause after the first success: %s", h.Pause())
	}
	late := start.Add(time.Minute)
	h.Fail(late, no)
	h.Fail(late.Add(time.Second), no)
	if h.Unhealthy() || h.failures != 2 {
		t.Errorf("got %+v", h)
	}
	h.Pass()
	h.Fail(late, no)
	if h.failures != 1 {
		t.Errorf("a success does not end the row: %+v", h)
	}
}

func TestAShortIntervalIsNotStretchedBeforeTheFirstSuccess(t *testing.T) {
	h := newHealth(time.Now())
	h.Unit = 10 * time.Millisecond
	if h.Pause() != 100*time.Millisecond {
		t.Errorf("got %s", h.Pause())
	}
}
