package logfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// follower goes on where the past ended. It keeps an offset for every file instead of going from one to the next:
// a writer that was slow to see a full segment may still add to it.
type follower struct {
	dir     string
	query   Query
	offsets map[string]offset   // by the name of the file
	marks   map[string]Position // by the name of the log: the farthest that was read
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
	f := follower{dir: dir, query: q, offsets: map[string]offset{}, marks: map[string]Position{}}
	for _, s := range past {
		f.offsets[filepath.Base(s.path)] = offset{at: s.size}
		f.marks[s.name] = Position{Segment: s.number, Offset: s.size}
	}
	if more, err := readPast(ctx, past, q, yield); err != nil || !more {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-q.Ended:
			_, err := f.readNew(nil, yield)
			return err
		case <-w.wake:
			files, gone := w.take()
			if more, err := f.readNew(files, yield); err != nil || !more || gone {
				return err
			}
		}
	}
}

// readNew yields what was added to the files, or to any file where files is nil.
func (f *follower) readNew(files []string, yield func(Line) bool) (more bool, err error) {
	if files == nil {
		all, err := segments(f.dir, f.query.Name)
		if err != nil {
			return false, err
		}
		for _, s := range all {
			files = append(files, filepath.Base(s.path))
		}
	}
	var added []Line
	for _, file := range files {
		name, number, ok := parseSegment(file)
		if !ok || f.query.Name != "" && name != f.query.Name {
			continue
		}
		lines, err := f.readFile(name, number, file)
		if err != nil {
			return false, err
		}
		added = append(added, lines...)
	}
	if f.query.Name == "" { // one log stays in the order of its files, which is that of positions
		slices.SortStableFunc(added, func(a, b Line) int { return a.Time.Compare(b.Time) })
	}
	for _, l := range added {
		if f.query.selects(l) && !yield(l) {
			return false, nil
		}
	}
	return true, nil
}

// readFile gives the whole lines that were added to a file.
func (f *follower) readFile(name string, number int, file string) ([]Line, error) {
	from, known := f.offsets[file]
	path := filepath.Join(f.dir, file)
	if known && !from.exact {
		r, err := os.Open(path)
		if err == nil {
			from.at, err = (&backward{file: r, at: from.at}).cutTorn()
			r.Close() //nolint:errcheck // it was only read
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, wrapRead(err)
		}
	}
	raw, err := readFrom(path, from.at)
	if err != nil {
		return nil, wrapRead(err)
	}
	raw = raw[:bytes.LastIndexByte(raw, '\n')+1]
	f.offsets[file] = offset{at: from.at + int64(len(raw)), exact: true}
	var lines []Line
	end := Position{Segment: number, Offset: from.at}
	for one := range bytes.Lines(raw) {
		end.Offset += int64(len(one))
		if l, ok := parseLine(name, bytes.TrimSuffix(one, []byte{'\n'})); ok {
			l.End = f.mark(name, end)
			lines = append(lines, l)
		}
	}
	return lines, nil
}

// mark gives the farthest position of a log: who has a line that came late to a segment that was full has more than that.
func (f *follower) mark(name string, end Position) Position {
	if end.Behind(f.marks[name]) {
		f.marks[name] = end
	}
	return f.marks[name]
}

// readFrom gives the rest of a file; one that was swept away has none.
func readFrom(path string, at int64) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}
