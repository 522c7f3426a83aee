//go:build linux && cgo

package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
)

// collectAt is the garbage collector's percentage: a shim allocates little and lives long, so memory counts more than
// time.
const collectAt = 20

// Run, called in the container's directory, reads a Config from in, makes the container, answers on out, and returns when the container has ended and its end
// is on disk. An input that ends before the Config is whole means that the server has thought better of it.
func Run(in io.ReadCloser, out io.WriteCloser) error {
	debug.SetGCPercent(collectAt)
	ignoreSignals()
	protect()
	// The record comes first: whoever finds the container's directory can find this process from then on.
	record, err := introduce()
	if err != nil {
		return err
	}
	cfg, err := receive(in)
	if err != nil {
		return err
	}
	s, err := create(cfg, record)
	if told := tell(out, err); told != nil && err == nil {
		fmt.Fprintln(os.Stderr, "tell the server that the container is ready:", told)
	}
	if err != nil {
		return err
	}
	debug.FreeOSMemory()
	return s.serve()
}

// Streams moves standard input and output out of the way and leaves /dev/null in their places, so that Run can close
// them and no later file gets their numbers.
func Streams() (in, out *os.File, err error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	defer null.Close()
	var moved [2]*os.File
	for fd := range moved {
		apart, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return nil, nil, fmt.Errorf("keep stream %d: %w", fd, err)
		}
		moved[fd] = os.NewFile(uintptr(apart), "stream")
		if err := unix.Dup3(int(null.Fd()), fd, 0); err != nil {
			return nil, nil, fmt.Errorf("replace stream %d: %w", fd, err)
		}
	}
	return moved[0], moved[1], nil
}

// ignoreSignals keeps the shim alive when somebody signals the server's group, or goes away while it is being written
// to. A handler does not pass on to the container, as an ignored signal would.
func ignoreSignals() {
	discarded := make(chan os.Signal, 1)
	signal.Notify(discarded, unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGPIPE)
}

// protect asks the kernel to kill others first when memory runs out. It needs a capability that root may lack.
func protect() {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("-999"), 0)
}

func introduce() (wire.Record, error) {
	self, err := wire.Self()
	if err != nil {
		return wire.Record{}, err
	}
	record := wire.Record{Version: wire.Version, Shim: self}
	return record, save(record)
}

// save writes the record for servers to come. Power cuts do not matter: they end the container too.
func save(r wire.Record) error { return wire.WriteJSON(wire.RecordFile, r, false) }

func receive(in io.ReadCloser) (wire.Config, error) {
	defer in.Close()
	var cfg wire.Config
	if err := json.NewDecoder(in).Decode(&cfg); err != nil {
		return cfg, fmt.Errorf("read the container's settings: %w", err)
	}
	return cfg, nil
}

// tell sends the one Ready. A server that has gone is none of the container's business.
func tell(out io.WriteCloser, failure error) error {
	var ready wire.Ready
	if failure != nil {
		ready.Error = failure.Error()
		var refusal *refusal
		ready.Refused = errors.As(failure, &refusal)
		var errno syscall.Errno
		if errors.As(failure, &errno) {
			ready.Errno = int(errno)
		}
	}
	return errors.Join(json.NewEncoder(out).Encode(ready), out.Close())
}
