package host

import (
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// health is the verdict of a container health check over time. It is pure: the task's loop runs the command and tells
// what came of it.
type health struct {
	check setops.HealthCheck
	unit  time.Duration // what the numbers of check count
	first time.Duration // pause between runs until the first success
	start time.Time     // of the task

	succeeded bool
	failures  int       // in a row, those that count
	counted   time.Time // when the last of them was
	last      *checkFailure
}

func (h *health) timeout() time.Duration  { return time.Duration(h.check.Timeout) * h.unit }
func (h *health) interval() time.Duration { return time.Duration(h.check.Interval) * h.unit }

// pass notes a success.
func (h *health) pass() {
	h.succeeded, h.failures = true, 0
}

// fail notes a failure. One within the start period does not count; until the first success, of those within an interval
// only one does, as the check runs more often then.
func (h *health) fail(now time.Time, f *checkFailure) {
	h.last = f
	if now.Before(h.start.Add(time.Duration(h.check.StartPeriod) * h.unit)) {
		return
	}
	if !h.succeeded && h.failures > 0 && now.Before(h.counted.Add(h.interval())) {
		return
	}
	h.failures++
	h.counted = now
}

// unhealthy reports whether the task is to be replaced.
func (h *health) unhealthy() bool { return h.failures >= max(h.check.Retries, 1) }

// why says what made it unhealthy.
func (h *health) why() string {
	return fmt.Sprintf("container health check failed %s: %s", times(h.failures), h.last)
}

// pause gives the time until the next run, counted from the beginning of the last.
func (h *health) pause() time.Duration {
	if h.succeeded {
		return h.interval()
	}
	return min(h.first, h.interval())
}
