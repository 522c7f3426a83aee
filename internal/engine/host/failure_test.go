package host_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

// failsWith deploys g, which must fail, and gives why.
func (b *bench) failsWith(g engine.Generation) *engine.GateError {
	b.t.Helper()
	b.ensure(g)
	return b.gateError(b.Await(context.Background(), g.ID))
}

func (b *bench) gateError(err error) *engine.GateError {
	b.t.Helper()
	var e *engine.GateError
	if !errors.As(err, &e) {
		b.t.Fatalf("got %v", err)
	}
	return e
}

func TestAFailureTellsHowTheTaskEnded(t *testing.T) {
	killed := 137
	for words, want := range map[string]setops.LastAnswer{
		"exit 3":       {ExitCode: new(3)},
		"exit 0":       {ExitCode: new(0)},
		"allocate 200": {ExitCode: &killed, Signal: "SIGKILL", OutOfMemory: true},
	} {
		inBubble(t, func(t *testing.T, b *bench) {
			e := b.failsWith(generation(strings.Fields(words)...))
			if !reflect.DeepEqual(e.Last, want) || e.Check != "start" || e.TaskID == "" || e.Fault {
				t.Errorf("%s: %+v", words, e)
			}
		})
	}
}

func TestAFailureTellsWhatTheContainerHealthCheckGave(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		g.HealthCheck = &setops.HealthCheck{
			Command: []string{"testapp", "print", "\x1b[2Jno\x07 database", "exit", "7"}, Interval: 1, Timeout: 1, Retries: 1,
		}
		e := b.failsWith(g)
		want := setops.LastAnswer{Request: "testapp print [2Jno database exit 7", ExitCode: new(7), Output: "[2Jno database"}
		if !reflect.DeepEqual(e.Last, want) || e.Check != "container health check" || strings.ContainsAny(e.Cause, "\x1b\x07") {
			t.Errorf("got %+v", e)
		}
	})
}

func TestAContainerHealthCheckThatHangsIsToldAsSuch(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("wait")
		g.HealthCheck = &setops.HealthCheck{Command: []string{"testapp", "wait"}, Interval: 1, Timeout: 2, Retries: 1}
		e := b.failsWith(g)
		if e.Last.ConnectError != "no answer within 2s" || e.Last.ExitCode != nil || e.Check != "container health check" {
			t.Errorf("got %+v", e)
		}
	})
}

// A task that dies late each time would be tried for three start timeouts.
func TestAtTheDeadlineOfItsCallerAwaitTellsTheFailureThatItHasSeen(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("sleep", "50s", "exit", "4")
		g.HealthCheck = lacking("never")
		g.HealthCheck.Command = []string{"testapp", "need", "never"}
		g.HealthCheck.StartPeriod = 300
		b.ensure(g)
		ctx, cancel := context.WithTimeout(context.Background(), 70*time.Second)
		defer cancel()
		if e := b.gateError(b.Await(ctx, g.ID)); e.Fault || e.Last.ExitCode == nil || *e.Last.ExitCode != 4 {
			t.Errorf("got %+v", e)
		}
	})
}

func TestFaultsOfTheHostAreNoFailuresOfTheApp(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.runtime.Fail("Create", syscall.ENOSPC)
		if e := b.failsWith(generation("wait")); !e.Fault || e.Temporary || !strings.Contains(e.Cause, "no space left") {
			t.Errorf("got %+v", e)
		}
	})
	inBubble(t, func(t *testing.T, b *bench) {
		b.runtime.Fail("Start", errors.New("no such device"))
		if e := b.failsWith(generation("wait")); !e.Fault || !e.Temporary {
			t.Errorf("got %+v", e)
		}
	})
	for err, want := range map[error]engine.GateError{
		syscall.ENOSPC:                          {Fault: true},
		errors.New("registry is away"):          {Fault: true, Temporary: true},
		&host.ImageError{Reason: "for \x1barm"}: {Cause: "for arm"},
	} {
		inBubble(t, func(t *testing.T, b *bench) {
			b.runtime.Fail("Prepare", err)
			e := b.gateError(b.Prepare(context.Background(), engine.Image{}))
			if e.Check != "image" || e.Fault != want.Fault || e.Temporary != want.Temporary || !strings.Contains(e.Cause, want.Cause) {
				t.Errorf("%v: %+v", err, e)
			}
		})
	}
}
