package logfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"time"
)

const blockBytes = 64 << 10

// forward reads a segment from where it is to begin, up to the size it had when it was listed.
type forward struct {
	file *os.File
	buf  *bufio.Reader
	at   int64 // up to where lines were given out
}

func openForward(s segment) (lineReader, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	part := io.NewSectionReader(f, s.from, s.size-s.from)
	return &forward{file: f, buf: bufio.NewReaderSize(part, blockBytes), at: s.from}, nil
}

func (r *forward) close() { r.file.Close() } //nolint:errcheck // it was only read

func (r *forward) line() ([]byte, int64, bool, error) {
	raw, err := r.buf.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return nil, 0, false, nil // what has no end is torn
	}
	r.at += int64(len(raw))
	return bytes.TrimSuffix(raw, []byte{'\n'}), r.at, err == nil, err
}

// backward reads a segment from its end, in blocks.
type backward struct {
	file *os.File
	buf  []byte // what was read and not given out: the file from at on
	at   int64
}

// openBackward begins behind the last whole line.
func openBackward(s segment) (lineReader, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	r := &backward{file: f, at: endOf(f, s)}
	if _, err := r.cutTorn(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *backward) close() { r.file.Close() } //nolint:errcheck // it was only read

// cutTorn forgets what follows the last newline and gives the offset behind it.
func (r *backward) cutTorn() (int64, error) {
	for {
		if i := bytes.LastIndexByte(r.buf, '\n'); i >= 0 {
			r.buf = r.buf[:i+1]
			return r.at + int64(i) + 1, nil
		}
		r.buf = nil
		if more, err := r.fill(); err != nil || !more {
			return 0, err
		}
	}
}

// fill puts the block that precedes buf in front of it; it says false at the beginning of the file.
func (r *backward) fill() (more bool, err error) {
	n := min(blockBytes, r.at)
	if n == 0 {
		return false, nil
	}
	block := make([]byte, n)
	if _, err := r.file.ReadAt(block, r.at-n); err != nil {
		return false, err
	}
	r.buf = slices.Concat(block, r.buf)
	r.at -= n
	return true, nil
}

func (r *backward) line() ([]byte, int64, bool, error) {
	for {
		if end := len(r.buf) - 1; end >= 0 {
			if i := bytes.LastIndexByte(r.buf[:end], '\n'); i >= 0 || r.at == 0 {
				line := r.buf[i+1 : end]
				r.buf = r.buf[:i+1]
				return line, r.at + int64(end) + 1, true, nil
			}
		}
		if more, err := r.fill(); err != nil || !more {
			return nil, 0, false, err
		}
	}
}

// firstTime gives the time of a segment's first line.
func firstTime(s segment) (time.Time, bool) {
	f, err := os.Open(s.path)
	if err != nil {
		return time.Time{}, false
	}
	defer f.Close() //nolint:errcheck // it is only read
	var head [128]byte
	n, _ := io.ReadFull(f, head[:])
	l, ok := parseLine(s.name, head[:n])
	return l.Time, ok
}
