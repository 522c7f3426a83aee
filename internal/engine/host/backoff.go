package host

import (
	"fmt"
	"time"
)

// BackOff is the pause before a task that ended by itself, or failed its check, is started again: First (1 s), doubled
// at each further time in a row up to Most (5 min). A task that was RUNNING for Reset (10 min) begins a new row.
type BackOff struct {
	First, Most, Reset time.Duration
}

// delay gives the pause before the start that follows failure number n in a row, from 1.
func (b BackOff) delay(n int) time.Duration {
	d := b.First
	for range n - 1 {
		if d >= b.Most/2 {
			return b.Most
		}
		d *= 2
	}
	return min(d, b.Most)
}

// vacancy is the place of a task that is to be replaced.
type vacancy struct {
	failures int    // in a row; 0: it did not fail
	cause    string // of the last one
	delay    time.Duration
	due      time.Time // when the next may start: delay after the last one
	doubtful bool      // whoever awaits the generation may remove it before
}

// after gives the vacancy that a task leaves which failed at now, given the one that it had filled itself and how long
// it was RUNNING.
func (b BackOff) after(filled vacancy, ran time.Duration, cause string, now time.Time) vacancy {
	failures := filled.failures + 1
	if ran >= b.Reset {
		failures = 1
	}
	delay := b.delay(failures)
	return vacancy{failures: failures, cause: cause, delay: delay, due: now.Add(delay)}
}

// ordinal gives 1st, 2nd, 3rd, 4th.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n, suffix)
}
