package logfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// readNew yields what was added to the files, or to any file where files is nil. It gives those of which there is more, and
// those behind them in the same log.
func (f *follower) readNew(files []string, yield func(Line) bool) (left []string, more bool, err error) {
	if files == nil {
		if files, err = f.list(); err != nil {
			return nil, false, err
		}
	}
	var added []Line
	waits := "" // the name of a log of which more is to be read before its next file
	for _, file := range files {
		name, number, ok := parseSegment(file)
		if !ok || f.query.Name != "" && name != f.query.Name {
			continue
		}
		if name == waits {
			left = append(left, file)
			continue
		}
		lines, whole, err := f.readFile(name, number, file)
		if err != nil {
			return nil, false, err
		}
		if !whole {
			left, waits = append(left, file), name
		}
		added = append(added, lines...)
	}
	return left, f.yieldAll(added, yield), nil
}

// list names all files that there are.
func (f *follower) list() (files []string, err error) {
	all, err := segments(f.dir, f.query.Name)
	for _, s := range all {
		files = append(files, filepath.Base(s.path))
	}
	return files, err
}

func (f *follower) yieldAll(added []Line, yield func(Line) bool) (more bool) {
	if f.query.Name == "" { // one log stays in the order of its files, which is that of positions
		slices.SortStableFunc(added, func(a, b Line) int { return a.Time.Compare(b.Time) })
	}
	for _, l := range added {
		if (l.Gap || f.query.selects(l)) && !yield(l) {
			return false
		}
	}
	return true
}

// readFile gives lines that were added to a file, and whether they are all.
func (f *follower) readFile(name string, number int, file string) (lines []Line, whole bool, err error) {
	from, known := f.offsets[file]
	path := filepath.Join(f.dir, file)
	if known && !from.exact {
		r, err := os.Open(path)
		if err == nil {
			from.at, err = (&backward{file: r, at: from.at}).cutTorn()
			r.Close() //nolint:errcheck // it was only read
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, false, wrapRead(err)
		}
	}
	raw, err := readFrom(path, from.at)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, wrapRead(err)
	}
	if f.passes(name, number, err != nil) && !f.gaps[name] {
		lines = append(lines, Line{Name: name, Gap: true})
		f.gaps[name] = true
	}
	whole = len(raw) < chunkBytes
	if last := bytes.LastIndexByte(raw, '\n'); whole || last >= 0 {
		raw = raw[:last+1]
	}
	f.offsets[file] = offset{at: from.at + int64(len(raw)), exact: true}
	end := Position{Segment: number, Offset: from.at}
	for one := range bytes.Lines(raw) {
		end.Offset += int64(len(one))
		if l, ok := parseLine(name, bytes.TrimSuffix(one, []byte{'\n'})); ok {
			l.End = f.mark(name, end)
			delete(f.gaps, name)
			lines = append(lines, l)
		}
	}
	f.mark(name, end)
	return lines, whole, nil
}

// passes reports whether lines may be missing where a reader comes to a segment: it is gone, or one before it is.
func (f *follower) passes(name string, number int, gone bool) bool {
	at := f.marks[name]
	if gone && number >= at.Segment {
		f.marks[name] = Position{Segment: number, Offset: at.Offset}
		return true
	}
	return number > at.Segment+1
}

// mark gives the farthest position of a log: who has a line that came late to a segment that was full has more than that.
func (f *follower) mark(name string, end Position) Position {
	if end.Behind(f.marks[name]) {
		f.marks[name] = end
	}
	return f.marks[name]
}

// chunkBytes is the most that is read of a file at once: a reader may be slow, and the log of an app large.
const chunkBytes = 1 << 20

// readFrom gives what follows in a file, at most chunkBytes.
func readFrom(path string, at int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it is only read
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, chunkBytes))
}
