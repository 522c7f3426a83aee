package logfile

import (
	"bytes"
	"time"
)

// MaxText is the longest text of one line, in bytes; Append cuts a longer one into several lines.
const MaxText = 64 << 10

// Line is one line of a log. Name is the writer's, as given to Open. With Gap it is none: it stands where lines of that log may be
// missing, because they were deleted before they were read.
type Line struct {
	Time   time.Time
	Name   string
	Source string
	Text   string
	Gap    bool
	End    Position // where a reader who has had this line and all before it goes on
}

// Position is a place in one log: behind a line, or at the beginning where it is zero.
type Position struct {
	Segment int
	Offset  int64
}

// Behind reports whether p comes after q.
func (p Position) Behind(q Position) bool {
	return p.Segment > q.Segment || p.Segment == q.Segment && p.Offset > q.Offset
}

func appendLine(b []byte, t time.Time, source, text string) []byte {
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, ' ')
	b = append(b, source...)
	b = append(b, ' ')
	b = append(b, text...)
	return append(b, '\n')
}

// parseLine reads a line without its newline. What a crash left torn or zeroed is not a line.
func parseLine(name string, raw []byte) (Line, bool) {
	stamp, rest, found := bytes.Cut(raw, []byte{' '})
	if !found {
		return Line{}, false
	}
	source, text, found := bytes.Cut(rest, []byte{' '})
	if !found {
		return Line{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return Line{}, false
	}
	return Line{Time: t, Name: name, Source: string(source), Text: string(text)}, true
}
