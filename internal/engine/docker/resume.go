//go:build linux

package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/client"

	"github.com/setopsco/setops/internal/engine/logfile"
)

const (
	sourceApp    = "app"
	sourceSystem = "system"

	// disorder is how far the times of two lines may be against the order in which Docker has them: it looks at the clock
	// before it writes, for standard output and error apart.
	disorder = 2 * time.Second
)

// position is up to where our log has what Docker's has: nothing that is older than from is missing, and what is not older
// and is there already is in seen. Times are Docker's, to the nanosecond, and may be equal.
type position struct {
	from time.Time // zero: nothing is there
	seen map[line]int
	last time.Time // nothing in seen is newer
}

type line struct {
	at   int64 // Unix time in nanoseconds
	text string
}

// position reads the end of our log: no other record is kept, so that none can disagree.
func (f *follower) position(ctx context.Context) (position, error) {
	ofApp := func(l logfile.Line) bool { return l.Source == sourceApp }
	var p position
	err := logfile.Read(ctx, f.dir, logfile.Query{Name: f.name, Limit: 1, Keep: ofApp}, func(l logfile.Line) bool {
		p.last = l.Time
		return true
	})
	if err != nil || p.last.IsZero() {
		return p, err
	}
	p.from, p.seen = p.last.Add(-disorder), map[line]int{}
	recent := logfile.Query{Name: f.name, After: p.from.Add(-1), Keep: ofApp}
	err = logfile.Read(ctx, f.dir, recent, func(l logfile.Line) bool {
		p.seen[line{l.Time.UnixNano(), l.Text}]++
		if l.Time.After(p.last) {
			p.last = l.Time
		}
		return true
	})
	return p, err
}

// has reports a line that is there already, once for each time that it is.
func (p *position) has(l line) bool {
	if l.at > p.last.UnixNano() {
		return false
	}
	if p.seen[l] == 0 {
		return false
	}
	p.seen[l]--
	return true
}

// copy carries lines that are not there yet, with follow until Docker ends the log.
func (f *follower) copy(ctx context.Context, s *sink, follow bool) error {
	p, err := f.position(ctx)
	if err != nil {
		return err
	}
	options := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow}
	if !p.from.IsZero() {
		options.Since = p.from.UTC().Format(time.RFC3339Nano)
	}
	stream, err := f.r.api.ContainerLogs(ctx, f.container, options)
	if err != nil {
		return fmt.Errorf("read the log of %s: %w", f.container, err)
	}
	defer stream.Close() //nolint:errcheck // it was only read
	return readMessages(stream, func(at time.Time, text string) {
		if !p.has(line{at.UnixNano(), text}) {
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
	if s.dropped > 0 || s.log.Append(at, sourceApp, text) != nil {
		s.dropped++
	}
}

// admit says in the log what is missing from it, before the next line that fits.
func (s *sink) admit() {
	if s.dropped == 0 {
		return
	}
	note := fmt.Sprintf("%d lines of output were lost because they could not be written to the disk", s.dropped)
	if s.log.Append(time.Now(), sourceSystem, note) == nil {
		s.dropped = 0
	}
}
