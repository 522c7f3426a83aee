package logfile

import (
	"bytes"
	"time"
)

// MaxText is the longest text of one line, in bytes; Append cuts a longer one into several lines.
const MaxText = 64 << 10

// Line is one line of a log. Name is the writer's, as given to Open.
type Line struct {
	Time   time.Time
	Name   string
	Source string
	Text   string
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
