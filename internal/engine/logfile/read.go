package logfile

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Query selects lines of the logs in a directory.
type Query struct {
	Name string // empty: all logs, merged by time
	// Behind says for logs by name what a reader has had of them: only what was written behind it. Of all other logs it is only
	// what is after Since. Both are about what is there when the reading begins, not about what is written from then on.
	Behind        map[string]Position
	Since         time.Time
	After, Before time.Time       // both exclusive; zero: no limit
	Limit         int             // the last so many lines; 0: all
	Keep          func(Line) bool // further condition; nil: none
	Follow        bool            // go on with lines as they come; lines that were deleted before they were read are a Gap
	Past          func()          // with Follow: called when what was there has been read; nil: not
	// Ended, closed, says that nothing is written any more: what is there by then is read, and the following ends.
	Ended <-chan struct{}
}

func (q Query) selects(l Line) bool {
	if !q.After.IsZero() && !l.Time.After(q.After) || !q.Before.IsZero() && !l.Time.Before(q.Before) {
		return false
	}
	return q.Keep == nil || q.Keep(l)
}

// slack is how far times may be off: those of lines against their order in a file (two writers), and those of files
// against their lines (a file system's clock ticks slowly).
const slack = 2 * time.Second

// Read calls yield for the selected lines, oldest first, until yield says false, the lines end or, with Follow, ctx
// ends. Lines of one log come in the order in which they were written, those of several by their times; a line that a crash
// left torn is left out. A directory that is not there has no lines; it can be followed from the moment it is made.
func Read(ctx context.Context, dir string, q Query, yield func(Line) bool) error {
	if q.Follow {
		return readAndFollow(ctx, dir, q, yield)
	}
	past, err := segments(dir, q.Name)
	if err != nil {
		return err
	}
	_, err = readPast(ctx, past, q, yield)
	return err
}

// readPast yields what the segments held when they were listed, and reports whether yield wants more.
func readPast(ctx context.Context, past []segment, q Query, yield func(Line) bool) (more bool, err error) {
	if q.Follow && !q.yieldGaps(past, yield) {
		return false, nil
	}
	keep := q.Keep
	q.Keep = func(l Line) bool { return q.isNew(l) && (keep == nil || keep(l)) }
	past = slices.DeleteFunc(slices.Clone(past), q.missed)
	for i, s := range past {
		if at := q.Behind[s.name]; at.Segment == s.number {
			past[i].from = at.Offset
		}
	}
	if q.Limit > 0 {
		return readLast(ctx, past, q, yield)
	}
	m := merge{less: func(a, b *cursor) bool { return a.key.Before(b.key) }}
	for _, log := range byName(past) {
		first, _ := firstTime(log[0])
		m.cursors = append(m.cursors, &cursor{log: log, open: openForward, key: first, tells: q.Follow})
	}
	return m.each(ctx, func(l Line) bool { return !l.Gap && !q.selects(l) || yield(l) })
}

// isNew reports whether a reader has not had a line that was there when the reading began.
func (q Query) isNew(l Line) bool {
	if at, known := q.Behind[l.Name]; known {
		return l.End.Behind(at)
	}
	return q.Since.IsZero() || l.Time.After(q.Since)
}

// yieldGaps yields a gap for each log whose reader had come to a segment that is gone.
func (q Query) yieldGaps(past []segment, yield func(Line) bool) (more bool) {
	for _, log := range byName(past) {
		at, known := q.Behind[log[0].name]
		if known && log[0].number > max(at.Segment, 1) && !yield(Line{Name: log[0].name, Gap: true}) {
			return false
		}
	}
	return true
}

// readLast reads every log from its end, the newest first, so that it touches only what it needs.
func readLast(ctx context.Context, past []segment, q Query, yield func(Line) bool) (more bool, err error) {
	m := merge{less: func(a, b *cursor) bool { return a.key.After(b.key) }}
	for i := range past {
		if !q.Before.IsZero() {
			past[i].until = q.Before.Add(slack)
		}
	}
	for _, log := range byName(past) {
		slices.Reverse(log)
		m.cursors = append(m.cursors, &cursor{log: log, open: openBackward, key: log[0].at.Add(slack)})
	}
	var lines []Line
	_, err = m.each(ctx, func(l Line) bool {
		if q.selects(l) {
			lines = append(lines, l)
		}
		return len(lines) < q.Limit && (q.After.IsZero() || l.Time.After(q.After.Add(-slack)))
	})
	if err != nil {
		return false, err
	}
	for _, l := range slices.Backward(lines) {
		if !yield(l) {
			return false, nil
		}
	}
	return true, nil
}

// missed reports whether no line of the segment can be within the limits of time.
func (q Query) missed(s segment) bool {
	oldest := q.After
	if at, known := q.Behind[s.name]; known && s.number < at.Segment {
		return true
	} else if !known && q.Since.After(oldest) {
		oldest = q.Since
	}
	if !oldest.IsZero() && s.at.Add(slack).Before(oldest) {
		return true
	}
	if q.Before.IsZero() {
		return false
	}
	first, ok := firstTime(s)
	return ok && first.Add(-slack).After(q.Before)
}

func wrapRead(err error) error { return fmt.Errorf("read log: %w", err) }
