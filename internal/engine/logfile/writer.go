package logfile

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Options are the sizes of a log; zero values mean the defaults.
type Options struct {
	SegmentBytes int64 // a segment that has grown to this is full; default 8 MiB
	// TotalBytes caps all logs of the directory: a writer that begins a segment deletes the oldest full ones above
	// it. Default 256 MiB; negative: no cap.
	TotalBytes int64
}

// The defaults of Options.
const (
	DefaultSegmentBytes = 8 << 20
	DefaultTotalBytes   = 256 << 20
)

// Writer appends to one log. It is safe for concurrent use, and so are several writers of the same log in several
// processes: each line is one write in append mode.
type Writer struct {
	dir, name string
	opts      Options

	mu     sync.Mutex
	file   *os.File
	number int
	torn   bool // what is in the file may end amid a line
	buf    []byte
}

// Open opens the newest segment of the log called name, or makes its first, and the directory too.
func Open(dir, name string, opts Options) (*Writer, error) {
	if opts.SegmentBytes <= 0 {
		opts.SegmentBytes = DefaultSegmentBytes
	}
	if opts.TotalBytes == 0 {
		opts.TotalBytes = DefaultTotalBytes
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make log directory: %w", err)
	}
	found, err := segments(dir, name)
	if err != nil {
		return nil, err
	}
	number := 1
	if len(found) > 0 {
		number = found[len(found)-1].number
	}
	w := &Writer{dir: dir, name: name, opts: opts}
	if err := w.open(number); err != nil {
		return nil, err
	}
	return w, nil
}

// Append writes a line; a text of several lines becomes as many with the same time. Source is one word. A line that did
// not fit the disk is lost, and the next one that does starts afresh. An error of the sweep that follows a full segment
// is returned too, with the line written.
func (w *Writer) Append(t time.Time, source, text string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return fmt.Errorf("append to log %s: %w", w.name, os.ErrClosed)
	}
	rotated, err := w.rotate()
	if err != nil {
		return err
	}
	w.buf = w.buf[:0]
	if w.torn {
		w.buf = append(w.buf, '\n')
	}
	for line := range strings.SplitSeq(text, "\n") {
		for len(line) > MaxText {
			w.buf = appendLine(w.buf, t, source, line[:MaxText])
			line = line[MaxText:]
		}
		w.buf = appendLine(w.buf, t, source, line)
	}
	n, err := w.file.Write(w.buf)
	w.torn = err != nil && (n > 0 || w.torn)
	if err != nil {
		return fmt.Errorf("append to log %s: %w", w.name, err)
	}
	if rotated && w.opts.TotalBytes > 0 {
		return Sweep(w.dir, Limits{Bytes: w.opts.TotalBytes})
	}
	return nil
}

// Close closes the file.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}

// rotate leaves segments that are full. Every writer of a log sees that by itself from the size, so that they need not
// talk: one that looked just before another filled the segment adds its line there, and readers count on that.
func (w *Writer) rotate() (rotated bool, err error) {
	for {
		info, err := w.file.Stat()
		if err != nil {
			return rotated, fmt.Errorf("look at log %s: %w", w.name, err)
		}
		if info.Size() < w.opts.SegmentBytes {
			return rotated, nil
		}
		full := w.file
		if err := w.open(w.number + 1); err != nil {
			return rotated, err
		}
		rotated = true
		if err := full.Close(); err != nil {
			return rotated, fmt.Errorf("close log %s: %w", w.name, err)
		}
	}
}

func (w *Writer) open(number int) error {
	f, err := os.OpenFile(segmentPath(w.dir, w.name, number), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open log %s: %w", w.name, err)
	}
	w.file, w.number, w.torn = f, number, endsTorn(f)
	return nil
}

// endsTorn reports whether the last line of a file has no end. Another writer's line that is half visible looks the
// same; the empty line that this costs is skipped by readers.
func endsTorn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}
