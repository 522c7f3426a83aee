package host_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// oneOff runs the words in a task of its own.
func (b *bench) oneOff(c *engine.Console, words ...string) setops.Task {
	b.t.Helper()
	task, err := b.Run(context.Background(), engine.OneOff{
		ID: "5b01a061", Stage: stage, App: "web", Container: generation(words...).Container, StopTimeout: time.Minute, Console: c,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return task
}

const limitReached = "stopped: it ran for its limit of 24h0m0s"

func (b *bench) wantStopped(id, reason string) {
	b.t.Helper()
	if ended := b.task(id); ended.Status != setops.Stopped || ended.Reason != reason || !ended.Told {
		b.t.Errorf("got %+v", ended)
	}
	if lines := b.lines(engine.LogQuery{TaskID: id, Limit: 50}); !slices.Contains(lines, "Task status is STOPPED, desired status is STOPPED due to '"+reason+"'") {
		b.t.Errorf("its log has %q", lines)
	}
}

func TestAOneOffTaskIsStoppedAfter24Hours(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		id := b.oneOff(nil, "wait").ID
		pass(24*time.Hour - time.Second)
		if now := b.task(id); now.Status != setops.Running {
			t.Errorf("a second before: %+v", now)
		}
		pass(2 * time.Second)
		b.wantStopped(id, limitReached)
	})
}

func TestTheLimitOfAnAdoptedTaskCountsFromItsStart(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		id := b.oneOff(nil, "wait").ID
		pass(20 * time.Hour)
		b.close()
		pass(3 * time.Hour)
		b.open()
		pass(time.Hour - time.Second)
		if now := b.task(id); now.Status != setops.Running {
			t.Errorf("a second before: %+v", now)
		}
		pass(2 * time.Second)
		b.wantStopped(id, limitReached)
	})
}

func TestALimitThatPassedWhileNoServerRanHoldsAtTheNextStart(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		id := b.oneOff(nil, "wait").ID
		pass(20 * time.Hour)
		b.close()
		pass(5 * time.Hour)
		b.open()
		pass(time.Second)
		b.wantStopped(id, limitReached)
	})
}

func TestATaskThatNobodyJoinsIsNotStarted(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		id := b.oneOff(&engine.Console{}, "print", "begun", "wait").ID
		pass(engine.JoinLimit + time.Second)
		b.wantStopped(id, "not started: nobody was connected to it within a minute")
		if lines := b.lines(engine.LogQuery{TaskID: id, Limit: 50}); slices.Contains(lines, "begun") {
			t.Errorf("it has run: %q", lines)
		}
	})
}

func TestAnInteractiveTaskHasTheLimitToo(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		id := b.oneOff(&engine.Console{}, "wait").ID
		var ended setops.Task
		done := make(chan error)
		go func() {
			var err error
			ended, err = b.Join(context.Background(), id, engine.Streams{In: make(chan []byte), Out: discard{}, Err: discard{}})
			done <- err
		}()
		pass(24*time.Hour + time.Second)
		if err := <-done; err != nil || ended.Reason != limitReached {
			t.Errorf("who has joined it is told %+v, %v", ended, err)
		}
		b.wantStopped(id, limitReached)
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
