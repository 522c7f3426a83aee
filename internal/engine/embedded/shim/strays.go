//go:build linux && cgo

package shim

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// execs reaps what libcontainer leaves behind when it cannot enter a container, because that ends just then: children of
// this process that are inside already. The kernel holds the container's first process back until they are reaped, so
// that without this the container would never be seen to end.
type execs struct {
	mu      sync.Mutex // held while strays are reaped: no other children but the container itself are there then
	running int
	failed  bool
}

func (e *execs) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running++
}

// end tells that an exec is over, and whether it failed. The last one to end reaps the strays of all.
func (e *execs) end(failed bool, container int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running--
	e.failed = e.failed || failed
	if e.running > 0 || !e.failed {
		return
	}
	e.failed = false
	for _, pid := range children() {
		if pid != container {
			reap(pid)
		}
	}
}

// reap ends a child and waits for it. Its number stays its own until then.
func reap(pid int) {
	_ = unix.Kill(pid, unix.SIGKILL)
	for {
		_, err := unix.Wait4(pid, nil, unix.WALL, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// children are the processes whose parent this one is.
func children() (pids []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	self := []byte(strconv.Itoa(os.Getpid()))
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue
		}
		// pid (name, which may hold anything) state parent …
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 1 && bytes.Equal(fields[1], self) {
			pids = append(pids, pid)
		}
	}
	return pids
}
