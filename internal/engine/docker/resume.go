//go:build linux

package docker

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/moby/moby/client"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/logfile"
)

// disorder is how far the times of two lines may be against the order in which Docker gives them: it looks at the clock
// before it writes, for standard output and error apart, and Docker 20.10 gives lines again around a change of its file.
const disorder = 5 * time.Second

// ledger knows the lines that were carried of late, and tells those that Docker gives again from new ones. Their times are
// Docker's, to the nanosecond, and may be equal.
//
// Docker gives lines again in the order in which it gave them: when we ask it to go on from a time, and when it starts its
// file over. So a line that is not newer than the newest is one of those, once for each time that it was carried.
type ledger struct {
	newest  int64
	carried map[line]int
	order   []line // of carried; the oldest first
	again   map[line]int
	over    bool // lines are being given again
}

// line stands for one. Of a text, a hash is enough.
type line struct {
	at   int64 // Unix time in nanoseconds
	hash uint64
}

func newLedger() *ledger { return &ledger{carried: map[line]int{}, again: map[line]int{}} }

// admit reports whether a line is new, and takes note of it.
func (l *ledger) admit(at time.Time, hash uint64) bool {
	n := line{at.UnixNano(), hash}
	repeats := n.at < l.newest || n.at == l.newest && l.over
	if repeats && l.again[n] < l.carried[n] {
		l.again[n]++
		l.over = true
		return false
	}
	if n.at > l.newest {
		l.newest, l.over = n.at, false
		clear(l.again)
	}
	l.note(n)
	return true
}

// restart says that lines that were carried may come again from here on.
func (l *ledger) restart() {
	l.over = true
	clear(l.again)
}

func (l *ledger) note(n line) {
	l.newest = max(l.newest, n.at)
	l.carried[n]++
	l.order = append(l.order, n)
	for l.order[0].at < l.newest-int64(disorder) {
		old := l.order[0]
		l.order = l.order[1:]
		if l.carried[old]--; l.carried[old] <= 0 {
			delete(l.carried, old)
		}
	}
}

// ledger reads the end of our log: no other record is kept, so that none can disagree.
func (f *follower) ledger(ctx context.Context) (*ledger, error) {
	ofApp := func(l logfile.Line) bool { return l.Source == engine.SourceApp }
	l := newLedger()
	var newest time.Time
	last := logfile.Query{Name: f.name, Limit: 1, Keep: ofApp}
	err := logfile.Read(ctx, f.dir, last, func(l logfile.Line) bool { newest = l.Time; return true })
	if err != nil || newest.IsZero() {
		return l, err
	}
	recent := logfile.Query{Name: f.name, After: newest.Add(-disorder - 1), Keep: ofApp}
	err = logfile.Read(ctx, f.dir, recent, func(one logfile.Line) bool {
		l.note(line{one.Time.UnixNano(), f.hash(one.Text)})
		return true
	})
	l.restart()
	return l, err
}

// hash is of this follower alone.
func (f *follower) hash(text string) uint64 { return maphash.String(f.seed, text) }

// copy carries lines that are not there yet, with follow until Docker ends the log.
func (f *follower) copy(ctx context.Context, s *sink, follow bool) error {
	l, err := f.ledger(ctx)
	if err != nil {
		return err
	}
	options := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow}
	if l.newest != 0 {
		options.Since = time.Unix(0, l.newest).Add(-disorder).UTC().Format(time.RFC3339Nano)
	}
	stream, err := f.r.api.ContainerLogs(ctx, f.container, options)
	if err != nil {
		return fmt.Errorf("read the log of %s: %w", f.container, err)
	}
	defer stream.Close() //nolint:errcheck // it was only read
	return readLog(stream, f.terminal, func(at time.Time, text string) {
		if l.admit(at, f.hash(text)) {
			s.append(at, text)
		}
	})
}

// sink is our log. What does not fit the disk is dropped, as nobody shall wait for a disk that is full.
type sink struct {
	log     *logfile.Writer
	dropped int // lines since the last that fitted
}

func (s *sink) append(at time.Time, text string) {
	s.admit()
	if s.dropped > 0 || s.log.Append(at, engine.SourceApp, text) != nil {
		s.dropped++
	}
}

// admit says in the log what is missing from it, before the next line that fits.
func (s *sink) admit() {
	if s.dropped == 0 {
		return
	}
	note := fmt.Sprintf("%d lines of output were lost because they could not be written to the disk", s.dropped)
	if s.log.Append(time.Now(), engine.SourceSystem, note) == nil {
		s.dropped = 0
	}
}
