package host

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// end is how a task's time came.
type end struct {
	reason  string
	cause   string // the reason within a sentence; empty: it was told to end
	exit    *Exit  // nil: it never ran, or did not end in time
	unrun   string // why it never ran
	told    bool   // it did not end by itself
	failure *verdict.Failure
}

// live leads a new task through its life:
//
//	launch   PROVISIONING, PENDING (waits out its back-off here), then ACTIVATING
//	attend   ACTIVATING until its checks pass, RUNNING
//	shut     DEACTIVATING, STOPPING
//	bury     DEPROVISIONING, STOPPED
//
// Close leaves it wherever it is; adopt goes on from there.
func (s *Supervisor) live(t *task) {
	if e, begun := s.launch(t); !begun {
		s.finish(t, e)
		return
	}
	s.finish(t, s.attend(t))
}

// finish ends a task, unless the supervisor was closed (e is nil).
func (s *Supervisor) finish(t *task, e *end) {
	buried := e != nil && s.bury(t, *e)
	if t.log != nil {
		t.log.Close() //nolint:errcheck // every line was written by then
	}
	if buried {
		close(t.done)
	}
}

// launch makes and starts the container. It reports false, and why, when the task is not running then; both are zero
// when the supervisor was closed.
func (s *Supervisor) launch(t *task) (*end, bool) {
	ctx, cancel := s.untilStopped(t)
	defer cancel()
	err := s.prepare(ctx, t)
	if err == nil && ctx.Err() == nil {
		err = s.start(ctx, t)
	}
	switch {
	case err == nil && t.Status == setops.Activating:
		return nil, true
	case s.isStopping(t):
		return &end{reason: s.stopReason(t), told: true}, false
	case s.ctx.Err() != nil:
		return nil, false
	}
	f := startFailure(err)
	return &end{reason: f.Reason(), cause: f.Cause, unrun: f.Cause, failure: f}, false
}

// prepare brings everything to where the container can be made.
func (s *Supervisor) prepare(ctx context.Context, t *task) error {
	s.logStatus(t, s.snapshot(t))
	if err := s.cfg.Runtime.EnsureNetwork(ctx, t.stage); err != nil {
		sleep(ctx, t.filled.due.Sub(s.now())) // the back-off holds for what makes networks too
		return fmt.Errorf("make network: %w", err)
	}
	wait := s.explainWait(t)
	s.change(t, func(n *setops.Task) {
		n.Status = setops.Pending
		if wait > 0 {
			n.Reason = fmt.Sprintf("starts at %s: %s", t.filled.due.Format(time.RFC3339), t.filled.story())
		}
	}, nil)
	if wait > 0 && !sleep(ctx, wait) {
		return ctx.Err()
	}
	if t.filled.doubtful {
		s.tell(t, fmt.Sprintf("restarting after %s: %s", verdict.Readable(t.filled.delay), t.filled.story()))
	}
	return s.cfg.Runtime.Prepare(ctx, t.container.Image)
}

// explainWait tells of the back-off, where there is one, and gives what is left of it. A restart that may never be, as
// those who await the generation have just been told to give up, is told of when it is: after some seconds at most.
func (s *Supervisor) explainWait(t *task) time.Duration {
	if t.filled.failures == 0 {
		return 0
	}
	if !t.filled.doubtful {
		s.tell(t, fmt.Sprintf("restarting in %s: %s", verdict.Readable(t.filled.delay), t.filled.story()))
	}
	return t.filled.due.Sub(s.now())
}

func (v vacancy) story() string {
	if v.failures == 1 {
		return v.cause
	}
	return fmt.Sprintf("%s (%s time)", v.cause, ordinal(v.failures))
}

// start makes the container and starts it, once it was joined where it is to be. Both go on even when the supervisor is closed: half a
// container helps nobody.
func (s *Supervisor) start(ctx context.Context, t *task) error {
	ip, err := s.create(ctx, t)
	if err != nil {
		return fmt.Errorf("create container: %w", err)
	}
	if err := s.awaitJoin(ctx, t); err != nil {
		return err
	}
	whole, done := context.WithTimeout(context.WithoutCancel(ctx), startLimit)
	defer done()
	if err := s.cfg.Runtime.Start(whole, t.ID); err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	s.change(t, func(n *setops.Task) {
		n.Status, n.Reason, n.StartedAt = setops.Activating, "", s.now()
		n.Address = address(ip, t.port)
	}, nil)
	return nil
}

func (s *Supervisor) create(ctx context.Context, t *task) (ip string, err error) {
	whole, done := context.WithTimeout(context.WithoutCancel(ctx), startLimit)
	defer done()
	return s.cfg.Runtime.Create(whole, Spec{
		ID: t.ID, Stage: t.stage, App: t.App, Container: t.container, Console: t.wanted,
		Labels: labelsOf(s.snapshot(t), t.facts), LogDir: s.logs.AppDir(t.StageID, t.App), LogName: t.ID,
	})
}

func address(ip string, port int) string {
	if ip == "" {
		return ""
	}
	return net.JoinHostPort(ip, strconv.Itoa(port))
}

// untilStopped gives a context that ends with the supervisor or when the task is told to end.
func (s *Supervisor) untilStopped(t *task) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(s.ctx)
	s.wg.Go(func() {
		select {
		case <-t.stop:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, cancel
}

func (s *Supervisor) isStopping(t *task) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.stopping()
}

func (s *Supervisor) stopReason(t *task) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.stopReason
}

// bury cleans up behind a task that has ended. The place that it leaves is filled meanwhile. It
// reports false when the supervisor was closed before all was done.
func (s *Supervisor) bury(t *task, e end) bool {
	now := s.now()
	ran := time.Duration(0)
	if t.Status == setops.Running {
		ran = now.Sub(t.StartedAt)
	}
	s.change(t, func(n *setops.Task) {
		n.Status, n.Desired, n.Reason, n.StoppedAt = setops.Deprovisioning, setops.Stopped, e.reason, now
		e.tell(n)
	}, func() {
		if e.cause != "" {
			s.left(t, e.cause, ran, e.failure)
		}
	})
	for {
		err := s.cfg.Runtime.Remove(s.ctx, t.ID)
		if err == nil {
			break
		}
		if s.ctx.Err() != nil {
			return false
		}
		s.cfg.Logger.Warn("a container could not be removed; it is tried again", "task", t.ID, "error", err)
		sleep(s.ctx, s.cfg.Timings.Retry)
	}
	s.status(t, setops.Stopped)
	return true
}

// tell writes into a task how it ended. What its record says already stays.
func (e end) tell(n *setops.Task) {
	n.Told = n.Told || e.told
	n.Fault = n.Fault || e.failure != nil && e.failure.Fault
	if e.unrun != "" {
		n.Unrun = setops.Printable(e.unrun)
	}
	if e.exit == nil {
		return
	}
	e.exit.Tell(n)
}
