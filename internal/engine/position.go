package engine

import (
	"fmt"
	"strconv"
	"strings"
)

// LogPosition is a place in the log of one task: behind a line, or at the beginning where it is zero. It outlives the server.
type LogPosition struct {
	Segment int
	Offset  int64
}

// String writes it as SEGMENT.OFFSET.
func (p LogPosition) String() string { return fmt.Sprintf("%d.%d", p.Segment, p.Offset) }

// ParseLogPosition reads what String wrote.
func ParseLogPosition(text string) (LogPosition, error) {
	segment, offset, _ := strings.Cut(text, ".")
	s, badSegment := strconv.Atoi(segment)
	o, badOffset := strconv.ParseInt(offset, 10, 64)
	p := LogPosition{Segment: s, Offset: o}
	if badSegment != nil || badOffset != nil || s < 0 || o < 0 || p.String() != text {
		return LogPosition{}, fmt.Errorf("read position %q of a log: it is none", text)
	}
	return p, nil
}
