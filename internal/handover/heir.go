package handover

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// Heir is the new process as the old one sees it.
type Heir struct {
	PID int

	command *exec.Cmd
	wire    *wire
	serial  int // of the last socket that it got
}

// Close lets the new process go on as if this one had ended: nothing that it has to wait for is left here.
func (h *Heir) Close() error {
	return errors.Join(h.wire.close(), h.command.Process.Release())
}

// prepare passes the sockets on and waits until the new process could begin.
func (h *Heir) prepare(ctx context.Context, s *Sockets, limit time.Duration) error {
	if err := h.pass(s, limit); err != nil {
		return err
	}
	if err := h.wire.send(beginMessage, limit); err != nil {
		return err
	}
	return h.await(ctx, preparedMessage, limit)
}

// follow passes on what has come since, and waits until the new process is ready.
func (h *Heir) follow(ctx context.Context, s *Sockets, limits Limits) error {
	if err := h.pass(s, limits.Prepare); err != nil {
		return err
	}
	if err := h.wire.send(stoppedMessage, limits.Prepare); err != nil {
		return err
	}
	return h.await(ctx, readyMessage, limits.Open)
}

func (h *Heir) pass(s *Sockets, limit time.Duration) (err error) {
	h.serial, err = s.since(h.serial, func(key string, fd int) error { return h.wire.sendSocket(key, fd, limit) })
	return err
}

func (h *Heir) await(ctx context.Context, word string, limit time.Duration) error {
	m, err := h.wire.next(ctx, limit)
	switch {
	case err != nil:
	case m.word == stopMessage:
		err = ErrStopped
	case m.word != word:
		err = fmt.Errorf("it said %q instead of %s", m.word, word)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("it was not within %s", limit)
	}
	return err
}

// dismiss ends the new process and tells why.
func (h *Heir) dismiss(what string, why error, limit time.Duration) error {
	if !errors.Is(why, errGone) {
		_ = h.command.Process.Signal(syscall.SIGTERM) // it may have ended since
	}
	kill := time.AfterFunc(limit, func() { _ = h.command.Process.Kill() })
	ended := h.command.Wait()
	kill.Stop()
	if errors.Is(why, errGone) {
		why = fmt.Errorf("it ended: %v", ended)
		if ended == nil {
			why = errors.New("it ended")
		}
	}
	return errors.Join(fmt.Errorf("the new process %s: %w", what, why), h.wire.close())
}
