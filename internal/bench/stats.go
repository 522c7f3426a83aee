//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

// median of an odd number of samples is one of them, of an even number the mean of two.
func median[T time.Duration | float64 | int64](samples []T) T {
	if len(samples) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(samples))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

func longest(s samples) time.Duration { return slices.Max(s) }

// versus is one of our figures beside a peer's, both medians, with the ratio of the two.
func versus(what string, ours, peer []time.Duration, goal float64) row {
	o, p := median(ours), median(peer)
	r := row{what: what, ours: show(o), peer: show(p), ratio: fmt.Sprintf("%.2f", float64(o)/float64(p))}
	if goal > 0 {
		r.goal, r.met = fmt.Sprintf("≤ %g", goal), float64(o) <= goal*float64(p)
	}
	return r
}

func show(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= 100*time.Millisecond:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 100*time.Microsecond:
		return fmt.Sprintf("%.1f µs", float64(d.Nanoseconds())/1000)
	}
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20)) }

// rounds calls every side once per round, in turns, and throws the first round away: caches fill in it.
func rounds(n int, sides ...func(round int) error) error {
	for i := range n + 1 {
		for _, side := range sides {
			if err := side(i - 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// samples keeps what rounds measure; those of the round before the first are dropped.
type samples []time.Duration

func (s *samples) keep(round int, d time.Duration) {
	if round >= 0 {
		*s = append(*s, d)
	}
}
