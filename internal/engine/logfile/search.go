package logfile

import (
	"bufio"
	"bytes"
	"io"
	"time"
)

// probeBytes are read at each place that endOf looks at: more than a usual line has.
const probeBytes = 4 << 10

// endOf gives the offset behind which no line of a segment is wanted. Of a segment that is full it looks at a few places, as its
// lines are in the order of their times.
func endOf(f io.ReaderAt, s segment) int64 {
	low, high := int64(0), s.size
	if s.until.IsZero() {
		return high
	}
	for high-low > blockBytes {
		at, t, ok := lineBehind(f, low+(high-low)/2, high)
		switch {
		case !ok:
			return high
		case t.After(s.until):
			high = at
		default:
			low = at
		}
	}
	return high
}

// lineBehind finds the first line that begins behind an offset, before another.
func lineBehind(f io.ReaderAt, from, to int64) (at int64, t time.Time, ok bool) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, from, to-from), probeBytes)
	rest, err := r.ReadBytes('\n')
	if err != nil {
		return 0, t, false
	}
	stamp, _ := r.Peek(len(time.RFC3339Nano))
	stamp, _, _ = bytes.Cut(stamp, []byte{' '})
	t, err = time.Parse(time.RFC3339Nano, string(stamp))
	return from + int64(len(rest)), t, err == nil
}
