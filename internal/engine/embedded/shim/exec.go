//go:build linux && cgo

package shim

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/embedded/rootfs"
	"github.com/setopsco/setops/internal/engine/embedded/wire"
)

// lingerLimit is how long output is still read after the program has ended, where a child of it keeps the pipe open.
const lingerLimit = 100 * time.Millisecond

// exec runs a program inside until it ends or the server hangs up.
func (s *shim) exec(conn net.Conn, argv []string) (wire.Response, error) {
	if fault := s.find(argv); fault != nil {
		return wire.Response{Code: fault.Code(), Output: []byte(fault.Error())}, nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return wire.Response{}, fmt.Errorf("make a pipe: %w", err)
	}
	defer r.Close()
	p := s.process(argv)
	p.Stdout, p.Stderr = w, w
	s.execs.begin()
	err = s.container.Run(p)
	defer func(failed bool) { s.execs.end(failed, s.pid) }(err != nil)
	w.Close()
	if err != nil {
		return wire.Response{}, fmt.Errorf("run %q in the container: %w", argv[0], err)
	}
	return collect(conn, p, r)
}

func (s *shim) find(argv []string) *rootfs.Fault {
	from := s.cfg.Spec
	_, err := rootfs.Find(from.Root.Path, argv, from.Process.Cwd, from.Process.Env)
	var fault *rootfs.Fault
	if errors.As(err, &fault) {
		return fault
	}
	return nil
}

// collect waits for the program and its output, and kills it and its children when the connection closes.
func collect(conn net.Conn, p *libcontainer.Process, r *os.File) (wire.Response, error) {
	pid, err := p.Pid()
	if err != nil {
		return wire.Response{}, err
	}
	var tasks sync.WaitGroup
	var output []byte
	tasks.Go(func() { output = head(r) })
	over := guard(pid)
	tasks.Go(func() {
		// The server sends nothing more: a read ends when it hangs up, or by the deadline below.
		_, _ = conn.Read(make([]byte, 1))
		over.kill()
	})
	over.wait()
	state, err := p.Wait()
	_ = r.SetReadDeadline(time.Now().Add(lingerLimit))
	_ = conn.SetReadDeadline(time.Now())
	tasks.Wait()
	if state == nil {
		return wire.Response{}, fmt.Errorf("wait for the program: %w", err)
	}
	return wire.Response{Code: exitCode(state), Output: output}, nil
}

// head reads all and keeps the beginning, so that the program never waits for a reader.
func head(r io.Reader) []byte {
	kept, _ := io.ReadAll(io.LimitReader(r, wire.MaxOutput))
	_, _ = io.Copy(io.Discard, r)
	return kept
}

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// group is a process that leads a group, of which the pid is ours until it is reaped.
type group struct {
	pid int
	mu  sync.Mutex
	end bool
}

func guard(pid int) *group { return &group{pid: pid} }

// kill ends every process of the group, unless its leader has ended by itself.
func (g *group) kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.end {
		_ = unix.Kill(-g.pid, unix.SIGKILL)
		_ = unix.Kill(g.pid, unix.SIGKILL)
	}
}

// wait returns when the leader has ended, before anybody reaps it.
func (g *group) wait() {
	for {
		err := unix.Waitid(unix.P_PID, g.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.end = true
}
