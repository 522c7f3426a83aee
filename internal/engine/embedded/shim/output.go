//go:build linux && cgo

package shim

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/logfile"
)

const (
	longestLine = 16 << 10 // bytes; longer ones are split
	// drainLimit is how long the pipes may stay open after the container has ended. Nothing inside can hold them then.
	drainLimit = 10 * time.Second
)

// output carries what the container writes to its log. It never makes the container wait for a disk that is full.
type output struct {
	log            *logfile.Writer
	stdout, stderr *os.File // the container's ends, until it is started
	readers        []*os.File
	terminal       bool // what is read of is one
	copying        sync.WaitGroup

	mu      sync.Mutex
	dropped int // lines that did not fit the disk since the last that did
}

func openOutput(dir, name string) (*output, error) {
	log, err := logfile.Open(dir, name, logfile.Options{})
	if err != nil {
		return nil, err
	}
	return &output{log: log}, nil
}

func (o *output) openPipes() error {
	for _, end := range []**os.File{&o.stdout, &o.stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			return fmt.Errorf("make a pipe for the container's output: %w", err)
		}
		o.readers, *end = append(o.readers, r), w
	}
	return nil
}

// start begins to read, once the container holds its ends.
func (o *output) start() {
	o.closeWriters()
	for _, r := range o.readers {
		o.copying.Go(func() { o.copy(r, r) })
	}
}

// abandon gives up pipes that nobody will write to.
func (o *output) abandon() {
	o.closeWriters()
	for _, r := range o.readers {
		r.Close()
	}
	o.log.Close()
}

func (o *output) closeWriters() {
	for _, w := range []*os.File{o.stdout, o.stderr} {
		if w != nil {
			w.Close()
		}
	}
}

// drain returns when all that was written is in the log.
func (o *output) drain() {
	late := time.Now().Add(drainLimit)
	for _, r := range o.readers {
		_ = r.SetReadDeadline(late)
	}
	o.copying.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = o.admit()
	o.log.Close()
}

// tee has what r gives read, and passed on to somebody too.
func (o *output) tee(r *os.File, to io.Writer) {
	o.readers = append(o.readers, r)
	o.copying.Go(func() { o.copy(r, io.TeeReader(r, to)) })
}

// copy writes what it reads of a file of ours, line by line.
func (o *output) copy(r *os.File, through io.Reader) {
	defer r.Close()
	lines := bufio.NewReaderSize(through, longestLine)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			o.append(string(o.withoutEnd(line)))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if !errors.Is(err, io.EOF) && !errors.Is(err, unix.EIO) { // that is the end of a terminal
				fmt.Fprintln(os.Stderr, "read the container's output:", err)
			}
			return
		}
	}
}

// withoutEnd cuts the end of a line, which on a terminal has two bytes.
func (o *output) withoutEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte{'\n'})
	if o.terminal {
		line = bytes.TrimSuffix(line, []byte{'\r'})
	}
	return line
}

func (o *output) append(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.admit() != nil || o.log.Append(time.Now(), "app", text) != nil {
		o.dropped++
	}
}

// admit says in the log what is missing from it, before the next line that fits.
func (o *output) admit() error {
	if o.dropped == 0 {
		return nil
	}
	note := fmt.Sprintf("%d lines of output were lost because they could not be written to the disk", o.dropped)
	if err := o.log.Append(time.Now(), "system", note); err != nil {
		return err
	}
	o.dropped = 0
	return nil
}
