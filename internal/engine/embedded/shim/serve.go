//go:build linux && cgo

package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
)

const (
	requestLimit = 5 * time.Second // from a connection to its request
	persistEvery = time.Second
)

// serve answers the server until the container has ended and how it did is on the disk.
func (s *shim) serve() error {
	var serving sync.WaitGroup
	serving.Go(s.accept)
	state, err := s.init.Wait()
	if state == nil {
		return fmt.Errorf("wait for the container: %w", err)
	}
	s.exit = s.judge(state)
	s.output.drain()
	if err := s.container.Destroy(); err != nil {
		fmt.Fprintln(os.Stderr, "clean up after the container:", err)
	}
	close(s.ended)
	s.persist()
	s.listener.Close()
	serving.Wait()
	return nil
}

func (s *shim) judge(state *os.ProcessState) wire.Exit {
	exit := wire.Exit{Version: wire.Version, Code: state.ExitCode(), At: time.Now().UTC()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = int(status.Signal())
		exit.Code = 128 + exit.Signal
	}
	// A container that was told to end and had a process killed for memory once did not end for that.
	exit.OOMKilled = exit.Code != 0 && !s.asked.Load() && oomKills(s.container) > 0
	return exit
}

// persist keeps trying while the disk is full: the exit code is worth waiting for, and the server may ask for it
// meanwhile.
func (s *shim) persist() {
	for {
		err := wire.WriteJSON(wire.ExitFile, s.exit, true)
		if err == nil || errors.Is(err, os.ErrNotExist) { // the server has removed the container
			return
		}
		fmt.Fprintln(os.Stderr, "keep the exit code:", err)
		time.Sleep(persistEvery)
	}
}

func (s *shim) accept() {
	var handling sync.WaitGroup
	defer handling.Wait()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		handling.Go(func() {
			defer conn.Close()
			s.handle(conn)
		})
	}
}

func (s *shim) handle(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(requestLimit))
	var r wire.Request
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	if streams := map[string]func(net.Conn, wire.Request) error{wire.Attach: s.attach, wire.Join: s.join}[r.Op]; streams != nil && r.Version == wire.Version {
		if err := streams(conn, r); err != nil {
			_ = json.NewEncoder(conn).Encode(wire.Response{Version: wire.Version, Error: err.Error()})
		}
		return
	}
	response, err := s.answer(conn, r)
	response.Version = wire.Version
	if err != nil {
		response.Error = err.Error()
		var refusal *refusal
		response.Refused = errors.As(err, &refusal)
	}
	_ = json.NewEncoder(conn).Encode(response) // who does not listen any more need not know
}

func (s *shim) answer(conn net.Conn, r wire.Request) (wire.Response, error) {
	if r.Version != wire.Version {
		return wire.Response{}, fmt.Errorf("the shim speaks version %d of its protocol, not %d", wire.Version, r.Version)
	}
	switch r.Op {
	case wire.Start:
		return wire.Response{}, s.start()
	case wire.Signal:
		return wire.Response{}, s.signal(unix.Signal(r.Signal))
	case wire.Kill:
		return wire.Response{}, s.signal(unix.SIGKILL)
	case wire.Exec:
		return s.exec(conn, r.Argv)
	case wire.Wait:
		<-s.ended
		return wire.Response{Exit: &s.exit}, nil
	}
	return wire.Response{}, fmt.Errorf("the shim knows no operation %q", r.Op)
}

func (s *shim) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.record.StartedAt.IsZero() {
		return nil
	}
	if err := s.container.Exec(); err != nil {
		return fmt.Errorf("run the container's program: %w", err)
	}
	s.record.StartedAt = time.Now().UTC()
	return save(s.record)
}

// signal goes round the container's lock, which an exec that hangs may hold.
func (s *shim) signal(sig unix.Signal) error {
	if sig == unix.SIGKILL || sig == unix.SIGTERM {
		s.asked.Store(true)
	}
	if err := s.init.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %s: %w", unix.SignalName(sig), err)
	}
	return nil
}
