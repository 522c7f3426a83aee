package verdict

import (
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Health is the verdict of a container health check over time. It is pure: who attends to the task runs the command and
// tells what came of it.
type Health struct {
	Check setops.HealthCheck
	Unit  time.Duration // what the numbers of the check count
	First time.Duration // pause between runs until the first success
	Start time.Time     // of the task

	Succeeded bool
	Last      *CheckFailure

	failures int       // in a row, those that count
	counted  time.Time // when the last of them was
}

// Timeout is how long a run may take.
func (h *Health) Timeout() time.Duration { return time.Duration(h.Check.Timeout) * h.Unit }

// Interval is the pause between runs once one has succeeded.
func (h *Health) Interval() time.Duration { return time.Duration(h.Check.Interval) * h.Unit }

// Pass notes a success.
func (h *Health) Pass() {
	h.Succeeded, h.failures = true, 0
}

// Fail notes a failure. One within the start period does not count; until the first success, of those within an interval
// only one does, as the check runs more often then.
func (h *Health) Fail(now time.Time, f *CheckFailure) {
	h.Last = f
	if now.Before(h.Start.Add(time.Duration(h.Check.StartPeriod) * h.Unit)) {
		return
	}
	if !h.Succeeded && h.failures > 0 && now.Before(h.counted.Add(h.Interval())) {
		return
	}
	h.failures++
	h.counted = now
}

// Unhealthy reports whether the task is to be replaced.
func (h *Health) Unhealthy() bool { return h.failures >= max(h.Check.Retries, 1) }

// Why says what made it unhealthy.
func (h *Health) Why() string {
	return fmt.Sprintf("container health check failed %s: %s", times(h.failures), h.Last)
}

// Pause gives the time until the next run, counted from the beginning of the last.
func (h *Health) Pause() time.Duration {
	if h.Succeeded {
		return h.Interval()
	}
	return min(h.First, h.Interval())
}
