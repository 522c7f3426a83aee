package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/platform"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// visit is what a task has that is joined. Its zero value is that of all others, and of those that an earlier engine has run.
type visit struct {
	wanted  *engine.Console
	held    chan struct{} // closed: its container waits
	joined  chan struct{} // closed: who runs it gets what it writes
	isTaken bool          // guarded by the engine's lock: somebody joins it, or has
}

func newVisit(c *engine.Console) visit {
	if c == nil {
		return visit{}
	}
	return visit{wanted: c, held: make(chan struct{}), joined: make(chan struct{})}
}

// consoleOf is how it is said in annotations; empty: nobody joins it.
func consoleOf(c *engine.Console) string {
	switch {
	case c == nil:
		return ""
	case c.Terminal:
		return object.ConsoleTerminal
	}
	return object.ConsolePipe
}

// program gives the words that a task which is to be joined runs, as they stand behind a latch; nil for others. Errors:
// CodeCurrentlyNotSupported for one that cannot be held back.
func (e *Engine) program(ctx context.Context, o engine.OneOff) ([]string, error) {
	if o.Console == nil {
		return nil, nil
	}
	if len(e.cfg.Latch) == 0 || e.cfg.Images == nil && len(o.Container.Entrypoint) == 0 {
		return nil, setops.Refuse(setops.CodeCurrentlyNotSupported,
			"this setopsd was built without the program that holds a task back until somebody is connected to it; run one that waits, with --detach, and a command inside it with task:attach")
	}
	here := platform.Platform{OS: "linux", Architecture: runtime.GOARCH}
	argv, err := platform.Program(ctx, e.cfg.Images, o.Container, here)
	var unusable *platform.Unusable
	if errors.As(err, &unusable) {
		return nil, setops.Refuse(setops.CodeCurrentlyNotSupported, "an interactive task cannot run: %s", unusable.Reason)
	}
	return argv, err
}

// isHeldBack reports whether a task's own program has not begun, as nobody has joined it.
func (t *task) isHeldBack() bool {
	if t.console == "" || !t.StartedAt.IsZero() {
		return false
	}
	select {
	case <-t.joined:
		return false
	default:
		return true
	}
}

// holds keeps a task PENDING whose container runs and waits to be joined, for a while.
func (a *attendant) holds(t *task) {
	if t.Status == setops.Provisioning {
		a.e.change(t, func(n *setops.Task) { n.Status = setops.Pending }, nil)
	}
	if t.wanted == nil || a.unjoined != nil || a.leaving {
		return
	}
	a.unjoined = time.After(a.e.cfg.Timings.Join)
	close(t.held)
}

// giveUp ends a task that nobody has joined.
func (a *attendant) giveUp() {
	if a.current.isHeldBack() {
		a.stop(verdict.ReasonUnjoined)
	}
}

// isDeserted reports whether an earlier engine had a task joined, or was about to.
func (t *task) isDeserted() bool { return t.console != "" && t.wanted == nil && !t.Status.Ended() }

// Join carries the streams of the program of an interactive task, and gives the task once it has ended.
func (e *Engine) Join(ctx context.Context, taskID string, s engine.Streams) (setops.Task, error) {
	t, err := e.takeVisit(taskID)
	if err != nil {
		return setops.Task{}, err
	}
	s.Terminal, s.Size = t.wanted.Terminal, t.wanted.Size
	if err := e.carry(ctx, t, s); err != nil && e.ctx.Err() == nil {
		e.tellTask(t.id, verdict.ReasonLeft)
		if !errors.Is(err, context.Canceled) {
			e.cfg.Logger.Warn("a joined task is cut off", "task", t.id, "error", err)
		}
	}
	return e.Wait(ctx, taskID)
}

// takeVisit lets one join a task, once.
func (e *Engine) takeVisit(taskID string) (*task, error) {
	t, err := e.taskOf(taskID)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case t.wanted == nil:
		return nil, verdict.NotJoinable(taskID)
	case t.isTaken:
		return nil, verdict.AlreadyJoined(taskID)
	}
	t.isTaken = true
	return t, nil
}

// carry returns nil once the program has ended and all was passed on, or it never began.
func (e *Engine) carry(ctx context.Context, t *task, s engine.Streams) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(e.ctx, func() { cancel(engine.ErrClosed) })()
	select {
	case <-t.held:
	case <-t.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	e.mu.Lock()
	f := t.facts
	e.mu.Unlock()
	c := newCurtain(t.id, s, func() { e.seesJoined(t) }, cancel)
	err := e.connect(ctx, f.namespace, f.pod, c.options(ctx))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return t.hasEnded(ctx, err)
}

// seesJoined has the attendant of a task know that its program begins.
func (e *Engine) seesJoined(t *task) {
	close(t.joined)
	e.mu.Lock()
	defer e.mu.Unlock()
	if a := e.attendants[t.id]; a != nil {
		select {
		case a.wake <- struct{}{}:
		default: // it is about to look
		}
	}
}

// hasEnded returns nil where the streams of a task ended with it: the cluster says so a moment later.
func (t *task) hasEnded(ctx context.Context, err error) error {
	late := time.NewTimer(endSoon)
	defer late.Stop()
	select {
	case <-t.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-late.C:
	}
	if err == nil {
		err = errors.New("the cluster has ended it")
	}
	return fmt.Errorf("connect to the program of a pod: %w", err)
}
