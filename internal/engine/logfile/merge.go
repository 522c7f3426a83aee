package logfile

import (
	"container/heap"
	"context"
	"errors"
	"io/fs"
	"time"
)

// lineReader gives the lines of one segment in either direction, without their newlines, and where in the file each ends; the
// slice is good until the next call.
type lineReader interface {
	line() (raw []byte, end int64, found bool, err error)
	close()
}

// cursor goes through the segments of one log.
type cursor struct {
	log    []segment // those not opened yet, in reading order
	open   func(segment) (lineReader, error)
	reader lineReader
	number int // of the segment that is read
	next   Line
	loaded bool
	tells  bool      // gives a gap for a segment that was deleted
	key    time.Time // time of next; before the first advance, a bound for it
}

// advance sets next to the following line; loaded is false where there is none.
func (c *cursor) advance() error {
	c.loaded = false
	for {
		if c.reader == nil {
			if len(c.log) == 0 {
				return nil
			}
			if err := c.openNext(); err != nil || c.loaded {
				return err
			}
			continue
		}
		raw, end, found, err := c.reader.line()
		if err != nil {
			return wrapRead(err)
		}
		if !found {
			c.close()
			continue
		}
		if l, ok := parseLine(c.next.Name, raw); ok {
			l.End = Position{Segment: c.number, Offset: end}
			c.next, c.key, c.loaded = l, l.Time, true
			return nil
		}
	}
}

func (c *cursor) openNext() error {
	s := c.log[0]
	c.log, c.number, c.next.Name = c.log[1:], s.number, s.name
	r, err := c.open(s)
	if errors.Is(err, fs.ErrNotExist) {
		c.next, c.loaded = Line{Name: s.name, Gap: true}, c.tells // swept away meanwhile
		return nil
	}
	if err != nil {
		return wrapRead(err)
	}
	c.reader = r
	return nil
}

func (c *cursor) close() {
	if c.reader != nil {
		c.reader.close()
		c.reader = nil
	}
}

// merge goes through several logs at once. It opens a log when its turn comes: an app may have thousands.
type merge struct {
	cursors []*cursor
	less    func(a, b *cursor) bool
}

// each calls yield for all lines in order until it says false, which each passes on.
func (m *merge) each(ctx context.Context, yield func(Line) bool) (more bool, err error) {
	defer func() {
		for _, c := range m.cursors {
			c.close()
		}
	}()
	heap.Init(m)
	for m.Len() > 0 {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		c := m.cursors[0]
		if c.loaded && !yield(c.next) {
			return false, nil
		}
		if err := c.advance(); err != nil {
			return false, err
		}
		if c.loaded {
			heap.Fix(m, 0)
		} else {
			heap.Pop(m)
		}
	}
	return true, nil
}

// Len, Less, Swap, Push and Pop make a heap of the cursors.
func (m *merge) Len() int           { return len(m.cursors) }
func (m *merge) Less(i, j int) bool { return m.less(m.cursors[i], m.cursors[j]) }
func (m *merge) Swap(i, j int)      { m.cursors[i], m.cursors[j] = m.cursors[j], m.cursors[i] }
func (m *merge) Push(c any)         { m.cursors = append(m.cursors, c.(*cursor)) }

func (m *merge) Pop() any {
	last := len(m.cursors) - 1
	c := m.cursors[last]
	m.cursors = m.cursors[:last]
	return c
}
