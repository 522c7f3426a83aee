package logfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// follower goes on where the past ended. It keeps an offset for every file instead of going from one to the next:
// a writer that was slow to see a full segment may still add to it.
type follower struct {
	dir     string
	query   Query
	offsets map[string]offset   // by the name of the file
	marks   map[string]Position // by the name of the log: the farthest that was read
	gaps    map[string]bool     // by the name of the log: the reader was told of a gap, and of nothing behind it yet
}

// offset is up to where a file is read. One taken from a listing may be amid a line.
type offset struct {
	at    int64
	exact bool
}

func readAndFollow(ctx context.Context, dir string, q Query, yield func(Line) bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make log directory: %w", err)
	}
	w := watch(dir) // before the listing, so that nothing falls between the two
	defer w.close()
	past, err := segments(dir, q.Name)
	if err != nil {
		return err
	}
	f := follower{dir: dir, query: q, offsets: map[string]offset{}, marks: map[string]Position{}, gaps: map[string]bool{}}
	for _, s := range past {
		f.offsets[filepath.Base(s.path)] = offset{at: s.size}
		f.marks[s.name] = Position{Segment: s.number, Offset: s.size}
	}
	if more, err := readPast(ctx, past, q, yield); err != nil || !more {
		return err
	}
	if q.Past != nil {
		q.Past()
	}
	return f.goOn(ctx, w, yield)
}

// goOn reads what comes, until nothing does or nobody wants it.
func (f *follower) goOn(ctx context.Context, w *watcher, yield func(Line) bool) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.query.Ended:
			return f.readRest(yield)
		case <-w.wake:
			files, gone := w.take()
			if gone {
				return f.readRest(yield)
			}
			left, more, err := f.readNew(files, yield)
			if err != nil || !more {
				return err
			}
			for _, file := range left {
				w.report(file)
			}
		}
	}
}

// readRest yields all that nothing comes behind.
func (f *follower) readRest(yield func(Line) bool) error {
	files, more, err := f.readNew(nil, yield)
	for err == nil && more && len(files) > 0 {
		files, more, err = f.readNew(files, yield)
	}
	return err
}
