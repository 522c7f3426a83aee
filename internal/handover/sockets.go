package handover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Sockets are the listening sockets of a process, by key. What is listened at through them can be inherited by the next
// process, connections that wait to be accepted included. The zero value inherits nothing and is ready to use.
//
// It holds a second descriptor of each socket. Descriptors are plain numbers here: an os.File would switch the socket,
// which another process may be accepting at, to blocking for a moment.
type Sockets struct {
	mu     sync.Mutex
	held   map[string]*socket
	serial int
	keep   bool
}

type socket struct {
	fd      int
	serial  int // grows with each socket
	claimed bool
}

var errInUse = errors.New("it is listened at already")

// Listen gives the socket of a key: the one that was inherited or kept, else what open makes, whose key then must say all
// that matters, its address first of all. Closing the listener closes the socket, unless Keep was called before.
func (s *Sockets) Listen(key string, open func() (net.Listener, error)) (net.Listener, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, err := claim(s, key, net.FileListener, open)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", key, err)
	}
	return &listener{Listener: l, release: sync.OnceFunc(func() { s.release(key) })}, nil
}

// ListenPacket is Listen for datagrams.
func (s *Sockets) ListenPacket(key string, open func() (net.PacketConn, error)) (net.PacketConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := claim(s, key, net.FilePacketConn, open)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", key, err)
	}
	return &packetConn{PacketConn: c, release: sync.OnceFunc(func() { s.release(key) })}, nil
}

// claim finds or makes a socket, for those who hold s.mu.
func claim[T interface{ Close() error }](s *Sockets, key string, from func(*os.File) (T, error), open func() (T, error)) (T, error) {
	var none T
	if old := s.held[key]; old != nil {
		if old.claimed {
			return none, errInUse
		}
		made, err := revive(old.fd, key, from)
		if err == nil {
			old.claimed = true
		}
		return made, err
	}
	made, err := open()
	if err != nil {
		return none, err
	}
	fd, err := duplicate(made)
	if err != nil {
		return none, errors.Join(err, made.Close())
	}
	s.hold(key, fd).claimed = true
	return made, nil
}

// revive makes what Go listens with of a descriptor that stays open.
func revive[T any](fd int, key string, from func(*os.File) (T, error)) (T, error) {
	var none T
	second, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return none, os.NewSyscallError("fcntl", err)
	}
	f := os.NewFile(uintptr(second), key)
	defer f.Close() //nolint:errcheck // from has made its own of it
	return from(f)
}

func duplicate(made any) (int, error) {
	conn, ok := made.(syscall.Conn)
	if !ok {
		return -1, fmt.Errorf("%T has no descriptor", made)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	second, failed := -1, error(nil)
	err = raw.Control(func(fd uintptr) { second, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0) })
	return second, errors.Join(err, os.NewSyscallError("fcntl", failed))
}

// hold is for those who hold s.mu.
func (s *Sockets) hold(key string, fd int) *socket {
	if s.held == nil {
		s.held = map[string]*socket{}
	}
	s.serial++
	s.held[key] = &socket{fd: fd, serial: s.serial}
	return s.held[key]
}

// Keep lets sockets stay open when their listeners are closed, for the next process or for listening again. Connections
// wait meanwhile.
func (s *Sockets) Keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = true
}

// CloseUnclaimed ends what Keep began, and closes the sockets that nobody listens at.
func (s *Sockets) CloseUnclaimed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = false
	for key, one := range s.held {
		if !one.claimed {
			s.close(key)
		}
	}
}

func (s *Sockets) release(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[key].claimed = false
	if !s.keep {
		s.close(key)
	}
}

func (s *Sockets) close(key string) {
	_ = unix.Close(s.held[key].fd) // nothing was written to it
	delete(s.held, key)
}

// inherit takes a socket over. One that came under the same key before was closed by the old process since.
func (s *Sockets) inherit(key string, fd int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = true
	switch before := s.held[key]; {
	case before != nil && before.claimed: // this process has its own by now
		_ = unix.Close(fd)
		return
	case before != nil:
		s.close(key)
	}
	s.hold(key, fd)
}

// since calls f with each socket that has come after serial, and gives the serial to go on with.
func (s *Sockets) since(serial int, f func(key string, fd int) error) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, one := range s.held {
		if one.serial <= serial {
			continue
		}
		if err := f(key, one.fd); err != nil {
			return serial, err
		}
	}
	return s.serial, nil
}

// listener tells Sockets when it is closed.
type listener struct {
	net.Listener
	release func()
}

func (l *listener) Close() error {
	err := l.Listener.Close()
	l.release()
	return err
}

type packetConn struct {
	net.PacketConn
	release func()
}

func (c *packetConn) Close() error {
	err := c.PacketConn.Close()
	c.release()
	return err
}
