package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// DefaultRetention is how long logs are kept.
const DefaultRetention = 14 * 24 * time.Hour

// Limits say what Sweep deletes.
type Limits struct {
	Before time.Time // segments last written to before this; zero: none for their age
	Bytes  int64     // the oldest segments, until the rest has no more bytes than this; 0: none for their size
	// Ended reports whether nobody writes to the log of that name any more. The newest segment of any other log stays:
	// a writer may hold it open. Nil: no log has ended.
	Ended func(name string) bool
}

// Sweep deletes what is over the limits, oldest first. It may run beside writers and readers.
func Sweep(dir string, l Limits) error {
	all, err := segments(dir, "")
	if err != nil {
		return err
	}
	var total int64
	for _, s := range all {
		total += s.size
	}
	var errs []error
	for _, s := range deletable(all, l) {
		if !s.at.Before(l.Before) && (l.Bytes <= 0 || total <= l.Bytes) {
			break
		}
		if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("delete log: %w", err))
			continue
		}
		total -= s.size
	}
	return errors.Join(errs...)
}

// deletable gives the segments that no writer needs, oldest first.
func deletable(all []segment, l Limits) []segment {
	var free []segment
	for _, log := range byName(all) {
		newest := len(log) - 1
		free = append(free, log[:newest]...)
		if l.Ended != nil && l.Ended(log[newest].name) {
			free = append(free, log[newest])
		}
	}
	slices.SortStableFunc(free, func(a, b segment) int { return a.at.Compare(b.at) })
	return free
}
