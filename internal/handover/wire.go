package handover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// What the processes tell each other. A message is one packet: a word, for socket a key behind it and the socket itself.
const (
	socketMessage   = "socket"
	beginMessage    = "begin"
	preparedMessage = "prepared"
	stoppedMessage  = "stopped"
	readyMessage    = "ready"
	stopMessage     = "stop" // instead of ready: somebody has told the new process to stop
)

const maxMessage = 4096

var errGone = errors.New("the other process has ended")

// message is one packet; fd is -1 where no socket came with it.
type message struct {
	word, key string
	fd        int
}

// wire is one end of the socket between the processes. A goroutine reads it until the other end is closed.
type wire struct {
	conn   *net.UnixConn
	came   chan message  // closed behind the last message
	closed chan struct{} // by close
	end    func() error
	reader sync.WaitGroup
}

// pair makes both ends; the second one is for another process.
func pair() (*wire, *os.File, error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs := os.NewFile(uintptr(fds[1]), "handover")
	ours, err := newWire(os.NewFile(uintptr(fds[0]), "handover"))
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return ours, theirs, nil
}

// newWire takes the file over.
func newWire(f *os.File) (*wire, error) {
	defer f.Close() //nolint:errcheck // the connection is a descriptor of its own
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%T is no connection between processes", c), c.Close())
	}
	w := &wire{conn: conn, came: make(chan message), closed: make(chan struct{})}
	w.end = sync.OnceValue(func() error {
		close(w.closed)
		return conn.Close()
	})
	w.reader.Go(w.read)
	return w, nil
}

// close ends the connection: for the other process, this one is gone.
func (w *wire) close() error {
	err := w.end()
	w.reader.Wait()
	return err
}

func (w *wire) read() {
	defer close(w.came)
	for {
		m, err := w.receive()
		if err != nil {
			return
		}
		select {
		case w.came <- m:
		case <-w.closed:
			if m.fd >= 0 {
				_ = syscall.Close(m.fd)
			}
			return
		}
	}
}

func (w *wire) receive() (message, error) {
	text, extra := make([]byte, maxMessage), make([]byte, syscall.CmsgSpace(4))
	n, extras, _, _, err := w.conn.ReadMsgUnix(text, extra)
	if err != nil {
		return message{}, err
	}
	if n == 0 {
		return message{}, io.EOF
	}
	m := message{fd: -1}
	m.word, m.key, _ = strings.Cut(string(text[:n]), " ")
	if extras == 0 {
		return m, nil
	}
	control, err := syscall.ParseSocketControlMessage(extra[:extras])
	if err != nil {
		return message{}, err
	}
	fds, err := syscall.ParseUnixRights(&control[0])
	if err != nil {
		return message{}, err
	}
	m.fd = fds[0]
	return m, nil
}

// send waits for a reader at most until limit.
func (w *wire) send(word string, limit time.Duration) error {
	return w.write(word, nil, limit)
}

func (w *wire) sendSocket(key string, fd int, limit time.Duration) error {
	return w.write(socketMessage+" "+key, syscall.UnixRights(fd), limit)
}

func (w *wire) write(text string, extra []byte, limit time.Duration) error {
	if len(text) > maxMessage {
		return fmt.Errorf("tell the other process: %d bytes are too many", len(text))
	}
	err := w.conn.SetWriteDeadline(time.Now().Add(limit))
	if err == nil {
		_, _, err = w.conn.WriteMsgUnix([]byte(text), extra, nil)
	}
	switch {
	case errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		return errGone
	case err != nil:
		return fmt.Errorf("tell the other process: %w", err)
	}
	return nil
}

// next waits for a message. Errors: errGone, context.DeadlineExceeded after limit, that of ctx.
func (w *wire) next(ctx context.Context, limit time.Duration) (message, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case m, ok := <-w.came:
		if !ok {
			return m, errGone
		}
		return m, nil
	case <-timer.C:
		return message{}, context.DeadlineExceeded
	case <-ctx.Done():
		return message{}, context.Cause(ctx)
	}
}
