package handover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Variable tells a process that another one has started it to be replaced: it is the number of a descriptor.
const Variable = "SETOPSD_HANDOVER"

// Taker is the new process's side: Inherit, Prepared, Ready, Close. A nil Taker is that of a process that replaces nobody:
// all its methods return at once.
type Taker struct {
	Sockets *Sockets

	wire   *wire
	limits Limits
	log    *slog.Logger
	asked  func() error // the error of Prepared's context once it has ended; nil outside of Prepared and Ready
	rest   sync.WaitGroup
	gone   chan struct{} // closed when the old process has ended, or has had its time
}

// Inherit gives what an old process has passed on, or nil where there is none. Its sockets are there when it returns.
func Inherit(ctx context.Context, limits Limits, log *slog.Logger) (*Taker, error) {
	number := os.Getenv(Variable)
	if number == "" {
		return nil, nil
	}
	if err := os.Unsetenv(Variable); err != nil { // it is not for those whom this process will start
		return nil, err
	}
	fd, err := strconv.Atoi(number)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("take over: %s=%s names no descriptor", Variable, number)
	}
	syscall.CloseOnExec(fd)
	w, err := newWire(os.NewFile(uintptr(fd), "handover"))
	if err != nil {
		return nil, fmt.Errorf("take over: %w", err)
	}
	t := &Taker{Sockets: &Sockets{}, wire: w, limits: limits.withDefaults(), log: log, gone: make(chan struct{})}
	if err := t.receive(ctx, beginMessage, t.limits.Prepare); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return t, nil
}

// receive takes sockets until the word comes.
func (t *Taker) receive(ctx context.Context, word string, limit time.Duration) error {
	for {
		m, err := t.wire.next(ctx, limit)
		switch {
		case err != nil:
			return fmt.Errorf("wait for the old process: %w", err)
		case m.word == word:
			return nil
		case m.word == socketMessage && m.fd >= 0:
			t.Sockets.inherit(m.key, m.fd)
		default:
			return fmt.Errorf("wait for the old process to say %s: it said %q", word, m.word)
		}
	}
}

// Prepared says that this process could begin now, and returns when it may: the core of the old one is stopped. On an error
// it must not begin. Where ctx ends between then and Ready, somebody wants no server at all: Close tells the old process.
func (t *Taker) Prepared(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.wire.send(preparedMessage, t.limits.Prepare); err != nil {
		return err
	}
	// The old process has the limits; this one only notices that it hangs.
	if err := t.receive(ctx, stoppedMessage, t.limits.Settle+t.limits.Open); err != nil {
		return err
	}
	t.asked = ctx.Err
	t.rest.Go(t.watch)
	return nil
}

// watch waits for the end of the old process.
func (t *Taker) watch() {
	defer close(t.gone)
	for range t.wire.came { // nothing comes any more
	}
}

// Ready says that this process serves: the old one will not again. It closes what was inherited and nobody has claimed. An
// old process that has died since is no error.
func (t *Taker) Ready() {
	if t == nil {
		return
	}
	t.asked = nil
	t.Sockets.CloseUnclaimed()
	if err := t.wire.send(readyMessage, t.limits.Prepare); err != nil {
		t.log.Warn("the old process did not hear that this one is ready", "error", err)
	}
	t.rest.Go(func() {
		timer := time.NewTimer(t.limits.Leave)
		defer timer.Stop()
		select {
		case <-t.gone:
		case <-timer.C:
			t.log.Warn("the old process does not end; going on without waiting for it", "waited", t.limits.Leave)
			_ = t.wire.end()
		}
	})
}

// Wait returns when the old process has ended, or has had its time, and the error of ctx when that ends before.
func (t *Taker) Wait(ctx context.Context) error {
	if t == nil {
		return nil
	}
	select {
	case <-t.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the connection to the old process, and waits for what this side runs.
func (t *Taker) Close() error {
	if t == nil {
		return nil
	}
	if t.asked != nil && t.asked() != nil {
		_ = t.wire.send(stopMessage, t.limits.Prepare) // an old process that is gone need not be told
	}
	err := t.wire.close()
	t.rest.Wait()
	return err
}
