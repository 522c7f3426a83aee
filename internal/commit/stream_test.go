package commit_test

import (
	"context"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

// hasLeft waits until a commit that has ended is nobody's turn any more.
func hasLeft(t *testing.T, p *process, most int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); p.Streams() > most; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d streams are kept, not %d", p.Streams(), most)
		}
	}
}

func TestCommitsThatHaveEndedLeaveNothingInMemory(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	hasLeft(t, p, 0)
	before := runtime.NumGoroutine()
	for i := range 30 {
		if end := p.commit(t, w, &changeset.NetworkSet{AppName: "web", HealthCheckPath: new("/" + string(rune('a'+i)))}); end.State != changeset.Done {
			t.Fatalf("%+v", end)
		}
	}
	hasLeft(t, p, 0)
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+10; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, before 30 commits %d", runtime.NumGoroutine(), before)
		}
	}
}

func TestFailuresAreRememberedUpToANumber(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	var first string
	for i := range commit.RememberMost + 5 {
		w.stage(t, &changeset.AppDestroy{AppName: "nobody"})
		c, err := p.Start(context.Background(), stage, ada, commit.Request{})
		must(t, err)
		if end := p.await(t, c.ID); end.State != changeset.Failed {
			t.Fatalf("%+v", end)
		}
		if i == 0 {
			first = c.ID
		}
		_, _, err = w.store.Discard(context.Background(), stage.ID, ada.ID, time.Now(), idempotency.Receipt[int]{})
		must(t, err)
	}
	hasLeft(t, p, commit.RememberMost)
	if end := p.await(t, first); end.Failure == nil || end.Failure.Message == "" { // what is stored
		t.Errorf("%+v", end)
	}
}

func TestWhoHasSeenAnEventThatNeverWasIsToldWhereTheCommitIs(t *testing.T) {
	w, p := deployed(t)
	defer p.stop(t)
	w.stage(t, deploy("web", 2)...)
	c, err := p.Start(t.Context(), stage, ada, commit.Request{})
	must(t, err)
	p.await(t, c.ID)
	for _, last := range []int{-1, math.MinInt, 0, 12, math.MaxInt} { // its end is number 10
		var seen []changeset.State
		must(t, p.Watch(t.Context(), stage.ID, c.ID, last, func(now commit.Progress) bool {
			seen = append(seen, now.State)
			return true
		}))
		if len(seen) != 1 || seen[0] != changeset.Done {
			t.Errorf("behind %d: %v", last, seen)
		}
	}
}

// mute is a store whose connection is dead, once: it answers when whoever asks gives up.
type mute struct {
	commit.Store
	asked atomic.Int32
}

func (m *mute) Waiting(ctx context.Context) ([]setops.StageRef, error) {
	if m.asked.Add(1) == 2 { // the first one is of the start
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return m.Store.Waiting(ctx)
}

func TestADeadConnectionDoesNotEndTheLookAtTheQueues(t *testing.T) {
	w := newWorld(t)
	m := &mute{}
	p := w.start(t, func(st commit.Store, e engine.Engine) (commit.Store, engine.Engine) {
		m.Store = st
		return m, e
	})
	defer p.stop(t)
	must(t, p.Resume(t.Context()))
	for deadline := time.Now().Add(20 * time.Second); m.asked.Load() < 3; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody looks after the queues any more")
		}
	}
}
