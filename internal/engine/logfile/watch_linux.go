package logfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// notify has inotify report changes of the directory's files.
func (w *watcher) notify(dir string) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return fmt.Errorf("begin inotify: %w", err)
	}
	events := os.NewFile(uintptr(fd), "inotify") // not blocking: Close ends a Read
	mask := uint32(unix.IN_MODIFY | unix.IN_CREATE | unix.IN_DELETE_SELF | unix.IN_ONLYDIR)
	if _, err := unix.InotifyAddWatch(fd, dir, mask); err != nil {
		events.Close() //nolint:errcheck // nothing was read from it
		return fmt.Errorf("watch %s: %w", dir, err)
	}
	w.stop = func() { events.Close() } //nolint:errcheck // it was only read
	w.done.Go(func() { w.read(events) })
	return nil
}

// read takes events until the file is closed.
//
//	struct inotify_event { int32 wd; uint32 mask, cookie, len; char name[len]; }
func (w *watcher) read(events *os.File) {
	buf := make([]byte, 16<<10)
	for {
		n, err := events.Read(buf)
		if err != nil {
			return
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			mask := binary.NativeEndian.Uint32(b[4:])
			end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
			name := bytes.TrimRight(b[unix.SizeofInotifyEvent:end], "\x00")
			b = b[end:]
			switch {
			case mask&(unix.IN_DELETE_SELF|unix.IN_IGNORED) != 0:
				w.reportUnknown(true)
			case mask&unix.IN_Q_OVERFLOW != 0:
				w.reportUnknown(false)
			default:
				w.report(string(name))
			}
		}
	}
}
