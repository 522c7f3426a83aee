package commit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

var errDead = errors.New("the process is dead")

// crash kills a process at its n-th write: from there on nothing that it does reaches the store or the engine. The write
// itself is done or not. Where it is only a fault, the process goes on, and so does the store.
type crash struct {
	commit.Store
	done  bool // whether the last write is done
	fault bool

	mu   sync.Mutex
	left int
	dead chan struct{}
}

// write does a write while the process lives.
func (c *crash) write(f func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.left--; {
	case c.left < 0 && !c.fault:
		return errDead
	case c.left != 0:
		return f()
	}
	if c.done {
		f() //nolint:errcheck // nobody is there to hear of it
	}
	close(c.dead)
	return errDead
}

func (c *crash) hasHappened() bool {
	select {
	case <-c.dead:
		return true
	default:
		return false
	}
}

func (c *crash) isDead() error {
	if !c.fault && c.hasHappened() {
		return errDead
	}
	return nil
}

func (c *crash) Enqueue(ctx context.Context, ticket changeset.Ticket) (r changeset.Commit, err error) {
	err = c.write(func() error { r, err = c.Store.Enqueue(ctx, ticket); return err })
	return r, err
}

// Claim counts as a write where it gives somebody a turn.
func (c *crash) Claim(ctx context.Context, stageID, owner string, now, until time.Time) (r changeset.Commit, ok bool, err error) {
	if waiting, err := c.Waiting(ctx); err != nil || len(waiting) == 0 {
		return r, false, err
	}
	err = c.write(func() error { r, ok, err = c.Store.Claim(ctx, stageID, owner, now, until); return err })
	return r, ok && err == nil, err
}

func (c *crash) Renew(ctx context.Context, r changeset.Commit, until time.Time) (string, error) {
	if err := c.isDead(); err != nil {
		return "", err
	}
	return c.Store.Renew(ctx, r, until)
}

func (c *crash) GiveUp(ctx context.Context, now time.Time, why changeset.Failure) ([]changeset.Commit, error) {
	if err := c.isDead(); err != nil {
		return nil, err
	}
	return c.Store.GiveUp(ctx, now, why)
}

func (c *crash) SetPhase(ctx context.Context, r changeset.Commit, p changeset.Phase) error {
	return c.write(func() error { return c.Store.SetPhase(ctx, r, p) })
}

func (c *crash) Pass(ctx context.Context, r changeset.Commit, after setops.Spec, p plan.Plan, now time.Time) error {
	return c.write(func() error { return c.Store.Pass(ctx, r, after, p, now) })
}

func (c *crash) EndCommit(ctx context.Context, r changeset.Commit, end changeset.State, f *changeset.Failure, now time.Time) error {
	return c.write(func() error { return c.Store.EndCommit(ctx, r, end, f, now) })
}

func (c *crash) WriteJournal(ctx context.Context, r changeset.Commit, p plan.Plan, prints map[string]string, d changeset.Delta, now time.Time) error {
	return c.write(func() error { return c.Store.WriteJournal(ctx, r, p, prints, d, now) })
}

func (c *crash) StepStarted(ctx context.Context, id string, fence int64, i int, now time.Time) error {
	return c.write(func() error { return c.Store.StepStarted(ctx, id, fence, i, now) })
}

func (c *crash) StepDone(ctx context.Context, id string, fence int64, i int, s plan.Step, now time.Time) error {
	return c.write(func() error { return c.Store.StepDone(ctx, id, fence, i, s, now) })
}

func (c *crash) Commit(ctx context.Context, stageID, id string) (changeset.Commit, bool, error) {
	if err := c.isDead(); err != nil {
		return changeset.Commit{}, false, err
	}
	return c.Store.Commit(ctx, stageID, id)
}

func (c *crash) Journal(ctx context.Context, id string) (plan.Plan, map[int]bool, map[int]bool, error) {
	if err := c.isDead(); err != nil {
		return plan.Plan{}, nil, nil, err
	}
	return c.Store.Journal(ctx, id)
}

// crashedEngine does nothing any more once the process is dead. While it lives, it sees to it that no generation is removed
// that traffic is still led to.
type crashedEngine struct {
	engine.Engine
	crash *crash
	t     *testing.T
	world *world
}

func (e *crashedEngine) Ensure(ctx context.Context, g engine.Generation) error {
	if err := e.crash.isDead(); err != nil {
		return err
	}
	return e.Engine.Ensure(ctx, g)
}

func (e *crashedEngine) Run(ctx context.Context, o engine.OneOff) (setops.Task, error) {
	if err := e.crash.isDead(); err != nil {
		return setops.Task{}, err
	}
	return e.Engine.Run(ctx, o)
}

func (e *crashedEngine) Stop(ctx context.Context, taskID string) error {
	if err := e.crash.isDead(); err != nil {
		return err
	}
	return e.Engine.Stop(ctx, taskID)
}

func (e *crashedEngine) Remove(ctx context.Context, id string, fence int64) error {
	if err := e.crash.isDead(); err != nil {
		return err
	}
	if e.world.isRouted(id) {
		e.t.Errorf("generation %s is removed while it is routed to", id)
	}
	return e.Engine.Remove(ctx, id, fence)
}

// TestACrashAtAnyWriteLeavesTheStageBeforeOrAfter kills the server at every write of a commit, once before and once after
// it reached the disk. The next start ends the commit: nothing of it is live, and the changeset is back; or all of it is.
func TestACrashAtAnyWriteLeavesTheStageBeforeOrAfter(t *testing.T) {
	t.Parallel()
	untilNoneIsLeft(t, func(n int) bool { return crashAt(t, n, false, false) })
	untilNoneIsLeft(t, func(n int) bool { return crashAt(t, n, true, false) })
}

// TestARebootAtAnyWriteLeavesTheStageBeforeOrAfter also takes all tasks away.
func TestARebootAtAnyWriteLeavesTheStageBeforeOrAfter(t *testing.T) {
	t.Parallel()
	untilNoneIsLeft(t, func(n int) bool { return crashAt(t, n, true, true) })
}

// TestAWriteThatFailsOnceLosesNothing lets one write of a commit fail, done or not. The commit says how it ended, and so
// it is.
func TestAWriteThatFailsOnceLosesNothing(t *testing.T) {
	t.Parallel()
	for _, done := range []bool{false, true} {
		untilNoneIsLeft(t, func(n int) bool { return failAt(t, n, done) })
	}
}

func TestOldTasksWaitUntilTheRoutesAreSet(t *testing.T) {
	t.Parallel()
	c := &crash{dead: make(chan struct{}), left: -1, fault: true}
	w, p := begun(t, c)
	defer p.stop(t)
	w.refuseRoutes(2)
	started, err := p.Start(context.Background(), stage, ada, commit.Request{})
	must(t, err)
	if end := p.await(t, started.ID); end.State != changeset.Done {
		t.Errorf("%+v", end.Failure)
	}
	w.settled(t, p)
}

// untilNoneIsLeft calls f with 1, 2, … until it says that there was no write of that number.
func untilNoneIsLeft(t *testing.T, f func(n int) bool) {
	t.Helper()
	for n := 1; f(n); n++ {
		if t.Failed() {
			return
		}
		if n > 100 {
			t.Fatal("a commit never ends")
		}
	}
}

// begun gives a process whose writes c counts, with seven commands staged: a new release behind a task, an app less, and a
// tcp app more.
func begun(t *testing.T, c *crash) (*world, *process) {
	t.Helper()
	w, first := deployed(t)
	w.settled(t, first)
	first.stop(t)
	p := w.start(t, func(s commit.Store, e engine.Engine) (commit.Store, engine.Engine) {
		c.Store = s
		return c, &crashedEngine{Engine: e, crash: c, t: t, world: w}
	})
	must(t, p.Resume(context.Background()))
	commands := append(deployAfter("web", 2, "print", "migrated"), &changeset.AppDestroy{AppName: "worker"}, &changeset.AppCreate{AppName: "new"},
		&changeset.NetworkSet{AppName: "new", Protocol: new(setops.TCP), Public: new(true)})
	w.stage(t, append(commands, deploy("new", 1)...)...)
	return w, p
}

func failAt(t *testing.T, n int, done bool) (failed bool) {
	t.Helper()
	t.Run(fmt.Sprintf("write %d done %v", n, done), func(t *testing.T) {
		c := &crash{left: n, done: done, fault: true, dead: make(chan struct{})}
		w, p := begun(t, c)
		defer p.stop(t)
		started, err := p.Start(context.Background(), stage, ada, commit.Request{})
		if err != nil {
			failed = true
			if !errors.Is(err, errDead) || (!done && w.staged(t) != 7) {
				t.Errorf("%v, %d commands staged", err, w.staged(t))
			}
			return
		}
		end := p.await(t, started.ID)
		w.settled(t, p)
		failed = c.hasHappened()
		got, staged := w.releases(t), w.staged(t)
		switch {
		case end.State == changeset.Failed && got == "web:1 worker:1" && staged == 7 && end.Failure.Message != "":
		case end.State == changeset.Done && got == "new:1 web:2" && staged == 0:
		default:
			t.Errorf("%s: active %s, %d commands staged", end.State, got, staged)
		}
	})
	return failed
}

// crashAt reports whether there was a write of that number.
func crashAt(t *testing.T, n int, done, reboot bool) (crashed bool) {
	t.Helper()
	t.Run(fmt.Sprintf("write %d done %v", n, done), func(t *testing.T) {
		c := &crash{left: n, done: done, dead: make(chan struct{})}
		w, dying := begun(t, c)
		if started, err := dying.Start(context.Background(), stage, ada, commit.Request{}); err == nil {
			crashed = awaitDeathOrEnd(t, w, c, started.ID)
		} else {
			crashed = errors.Is(err, errDead)
		}
		dying.stop(t)

		if reboot {
			must(t, w.runtime.Close())
			w.runtime = fake.NewRuntime()
		}
		next := w.start(t, nil)
		defer next.stop(t)
		must(t, next.Resume(context.Background()))
		w.settled(t, next)
		switch got, staged := w.releases(t), w.staged(t); {
		case got == "web:1 worker:1" && staged == 7, got == "new:1 web:2" && staged == 0:
		default:
			t.Errorf("active %s, %d commands staged", got, staged)
		}
		// The stage is not locked, and can be committed.
		if end := next.commit(t, w, &changeset.ResourceSet{AppName: "web", Scale: new(2)}); end.State != changeset.Done {
			t.Errorf("%+v", end.Failure)
		}
		if got := w.releases(t); got != "new:1 web:2" {
			t.Errorf("after the next commit: %s", got)
		}
		w.settled(t, next)
	})
	return crashed
}

// awaitDeathOrEnd waits until the process is dead, or nothing is left to do.
func awaitDeathOrEnd(t *testing.T, w *world, c *crash, id string) (died bool) {
	t.Helper()
	for {
		select {
		case <-c.dead:
			return true
		case <-time.After(2 * time.Millisecond):
		}
		unfinished, err := w.store.Unfinished(context.Background())
		must(t, err)
		now, _, err := w.store.Commit(context.Background(), stage.ID, id)
		must(t, err)
		if now.State.Ended() && len(unfinished) == 0 {
			return c.hasHappened()
		}
	}
}
