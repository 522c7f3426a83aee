//go:build linux && cgo

package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
)

// attach runs a program inside whose streams are the connection's frames, until it ends or the server hangs up. It answers by
// itself; an error is for the answer that was not given yet.
func (s *shim) attach(conn net.Conn, r wire.Request) error {
	if fault := s.find(r.Argv); fault != nil {
		return s.refuseAttach(conn, fault.Code(), fault.Error())
	}
	p := s.process(r.Argv)
	ends, err := connect(p, wire.Console{Terminal: r.Terminal, Columns: r.Columns, Rows: r.Rows})
	if err != nil {
		return err
	}
	defer ends.close()
	s.execs.begin()
	err = s.container.Run(p)
	defer func(failed bool) { s.execs.end(failed, s.pid) }(err != nil)
	ends.closeTheirs()
	if err != nil {
		return fmt.Errorf("run %q in the container: %w", r.Argv[0], err)
	}
	pid, err := p.Pid()
	if err != nil {
		return err
	}
	over := guard(pid)
	if err := ends.receive(); err != nil {
		over.kill()
		_, _ = p.Wait()
		return err
	}
	return converse(conn, p, over, ends)
}

// refuseAttach tells of a program that cannot be run as a shell would.
func (s *shim) refuseAttach(conn net.Conn, code int, why string) error {
	if err := json.NewEncoder(conn).Encode(wire.Response{Version: wire.Version}); err != nil {
		return nil //nolint:nilerr // nobody listens
	}
	_ = wire.WriteFrame(conn, wire.Errors, []byte(why+"\n"))
	_ = wire.WriteFrame(conn, wire.Ended, wire.CodeContent(code))
	return nil
}

// converse carries frames both ways.
func converse(conn net.Conn, p *libcontainer.Process, over *group, ends *ends) error {
	if err := json.NewEncoder(conn).Encode(wire.Response{Version: wire.Version}); err != nil {
		over.kill()
	}
	out := &frames{conn: conn, lost: over.kill}
	var reading, writing sync.WaitGroup
	for kind, r := range ends.outputs {
		writing.Go(func() { out.copy(kind, r) })
	}
	ended := make(chan struct{})
	reading.Go(func() { ends.input(conn) })
	reading.Go(func() { // beside the input, which waits where the program does not read
		if hangsUp(conn, ended) {
			over.kill()
		}
	})
	over.wait()
	close(ended)
	state, err := p.Wait()
	for _, r := range ends.outputs {
		_ = r.SetReadDeadline(time.Now().Add(lingerLimit))
	}
	writing.Wait()
	code := -1
	if state != nil {
		code = exitCode(state)
	} else {
		fmt.Fprintln(os.Stderr, "wait for an attached program:", err)
	}
	out.send(wire.Ended, wire.CodeContent(code))
	_ = conn.SetReadDeadline(time.Now())
	reading.Wait()
	return nil
}

// lookEvery is how soon it is noticed that the server has hung up.
const lookEvery = 200 * time.Millisecond

// hangsUp returns true once the other side has closed the connection, false once the program has ended.
func hangsUp(conn net.Conn, ended <-chan struct{}) bool {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return true
	}
	for {
		gone := false
		err := raw.Control(func(fd uintptr) {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
			n, err := unix.Poll(fds, int(lookEvery/time.Millisecond))
			gone = err == nil && n > 0
		})
		if err != nil || gone {
			return true
		}
		select {
		case <-ended:
			return false
		default:
		}
	}
}

// frames writes frames of several streams. A server that takes nothing for long, or has gone, is told of to lost.
type frames struct {
	mu   sync.Mutex
	conn net.Conn
	lost func()
	gone bool
}

// sendLimit is how long the server may take to read a frame: the person behind it may have stopped the output.
const sendLimit = 10 * time.Minute

func (f *frames) send(kind byte, content []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return
	}
	_ = f.conn.SetWriteDeadline(time.Now().Add(sendLimit))
	if err := wire.WriteFrame(f.conn, kind, content); err != nil {
		f.gone = true
		f.lost()
	}
}

func (f *frames) copy(kind byte, r *os.File) {
	buffer := make([]byte, wire.MaxFrame)
	for {
		n, err := r.Read(buffer)
		if n > 0 {
			f.send(kind, buffer[:n])
		}
		if err != nil { // a terminal that nobody has open any more reads as EIO
			return
		}
	}
}

// ends are both sides of the streams of a program.
type ends struct {
	theirs  []*os.File
	outputs map[byte]*os.File
	mu      sync.Mutex
	stdin   *os.File // nil once it is closed; guarded by mu
	console *os.File // receives the terminal; nil: there is none
	tty     *os.File // our side of the terminal
}

func connect(p *libcontainer.Process, r wire.Console) (*ends, error) {
	e := &ends{outputs: map[byte]*os.File{}}
	if r.Terminal {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("make a pair of sockets: %w", err)
		}
		e.console = os.NewFile(uintptr(pair[0]), "console")
		theirs := os.NewFile(uintptr(pair[1]), "console of the program")
		e.theirs = append(e.theirs, theirs)
		p.ConsoleSocket, p.ConsoleWidth, p.ConsoleHeight = theirs, r.Columns, r.Rows
		if !slices.ContainsFunc(p.Env, func(v string) bool { return strings.HasPrefix(v, "TERM=") }) {
			p.Env = append(slices.Clone(p.Env), "TERM=xterm")
		}
		return e, nil
	}
	in, stdin, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	e.stdin, e.theirs = stdin, append(e.theirs, in)
	p.Stdin = in
	for kind, stream := range map[byte]*io.Writer{wire.Output: &p.Stdout, wire.Errors: &p.Stderr} {
		r, w, err := os.Pipe()
		if err != nil {
			e.closeTheirs()
			e.close()
			return nil, fmt.Errorf("make a pipe: %w", err)
		}
		e.outputs[kind], e.theirs = r, append(e.theirs, w)
		*stream = w
	}
	return e, nil
}

func (e *ends) closeTheirs() {
	for _, f := range e.theirs {
		f.Close()
	}
	e.theirs = nil
}

func (e *ends) close() {
	e.closeTheirs()
	for _, f := range e.outputs {
		f.Close()
	}
	e.closeInput()
	if e.console != nil {
		e.console.Close()
	}
}

func (e *ends) closeInput() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stdin != nil {
		e.stdin.Close()
		e.stdin = nil
	}
}

// receive takes our side of the terminal, which the program's side was made with inside of the container.
func (e *ends) receive() error {
	if e.console == nil {
		return nil
	}
	name, rights := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(int(e.console.Fd()), name, rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return fmt.Errorf("receive the terminal: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		return errors.Join(errors.New("no terminal was sent"), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return errors.Join(errors.New("no terminal was sent"), err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil { // so that its reads have deadlines
		unix.Close(fds[0]) //nolint:errcheck // it was not used
		return fmt.Errorf("use the terminal: %w", err)
	}
	e.tty = os.NewFile(uintptr(fds[0]), "terminal")
	e.outputs[wire.Output] = e.tty
	return nil
}

// input gives the program what the server sends, until that hangs up.
func (e *ends) input(conn net.Conn) {
	for {
		kind, content, err := wire.ReadFrame(conn)
		if err != nil {
			return
		}
		switch kind {
		case wire.Input:
			e.write(content)
		case wire.InputEnd:
			e.endInput()
		case wire.Resize:
			e.resize(content)
		}
	}
}

func (e *ends) resize(content []byte) {
	columns, rows, ok := wire.ParseSize(content)
	if !ok || e.tty == nil {
		return
	}
	raw, err := e.tty.SyscallConn() // Fd would make reads block for good
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows})
	})
}

// write drops what a program does not want that has closed its input.
func (e *ends) write(content []byte) {
	e.mu.Lock()
	to := e.stdin
	e.mu.Unlock()
	if e.tty != nil {
		to = e.tty
	}
	if to != nil {
		_, _ = to.Write(content)
	}
}

// endInput closes a pipe; on a terminal it is what a person types to say so.
func (e *ends) endInput() {
	if e.tty != nil {
		_, _ = e.tty.Write([]byte{4})
		return
	}
	e.closeInput()
}
