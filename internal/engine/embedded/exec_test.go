//go:build linux

package embedded_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestExecRunsInsideWithTheContainersEnvironment(t *testing.T) {
	h := newHouse(t)
	c := h.spec("forever")
	c.Container.Env = []string{"COLOUR=blue"}
	h.run(c)
	code, output, err := h.Exec(ctx(t), c.ID, []string{"/app", "env=COLOUR", "warn=also", "status=NoNewPrivs,Seccomp", "exit=5"})
	must(t, err)
	if want := "COLOUR=blue\nalso\nNoNewPrivs 1\nSeccomp 2\n"; code != 5 || string(output) != want {
		t.Errorf("code %d, output %q, want 5, %q", code, output, want)
	}
	if strings.Contains(h.log(c), "blue") {
		t.Error("the output of a check is in the container's log")
	}
}

func TestExecOfWhatCannotRunIs127Or126(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("forever"))
	for _, test := range []struct {
		program string
		code    int
		output  string
	}{
		{"/nothing", 127, "there is no program /nothing in the image"},
		{"nothing", 127, `there is no program "nothing" in the image (PATH is `},
		{"/unended", 126, "/unended is not executable (its mode is 0644)"},
		{"/tmp", 126, "/tmp is a directory"},
	} {
		code, output, err := h.Exec(ctx(t), c.ID, []string{test.program})
		must(t, err)
		if code != test.code || !strings.HasPrefix(string(output), test.output) {
			t.Errorf("%s: code %d, output %q", test.program, code, output)
		}
	}
}

func TestExecEndsWithItsContext(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("forever"))
	before := h.processes(c)
	short, cancel := context.WithCancel(ctx(t))
	defer cancel()
	done := make(chan error)
	go func() {
		_, _, err := h.Exec(short, c.ID, []string{"/app", "spawn=1h", "forever"})
		done <- err
	}()
	h.await(func() bool { return len(h.processes(c)) >= len(before)+2 }, "the command never ran")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Exec gave %v", err)
	}
	h.await(func() bool { return len(h.processes(c)) == len(before) }, "the command, or its child, goes on")
}

func TestExecKeepsTheBeginningOfALongOutput(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("forever"))
	code, output, err := h.Exec(ctx(t), c.ID, []string{"/app", "flood=100000", "exit=3"})
	must(t, err)
	if code != 3 || len(output) != 4096 || !strings.HasPrefix(string(output), "line 0\nline 1\n") {
		t.Errorf("code %d, %d bytes", code, len(output))
	}
}

func TestExecDoesNotWaitForAChildThatHoldsTheOutput(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("forever"))
	begin := time.Now()
	code, output, err := h.Exec(ctx(t), c.ID, []string{"/app", "spawn=1h", "print=done"})
	must(t, err)
	if took := time.Since(begin); code != 0 || string(output) != "done\n" || took > patience/2 {
		t.Errorf("code %d, output %q after %s", code, output, took)
	}
}

func TestExecInAContainerThatHasEndedIsAnError(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("exit=0"))
	h.wait(c)
	if code, _, err := h.Exec(ctx(t), c.ID, []string{"/app"}); err == nil {
		t.Errorf("it gave code %d", code)
	}
}

func TestAContainerEndsThatIsEnteredJustThen(t *testing.T) {
	h := newHouse(t)
	for range 30 {
		c := h.spec("sleep=30ms", "exit=7")
		h.run(c)
		over, cancel := context.WithCancel(ctx(t))
		var checks sync.WaitGroup
		for range 3 {
			checks.Go(func() {
				for over.Err() == nil {
					h.Exec(over, c.ID, []string{"/app", "exit=0"}) //nolint:errcheck // most of them come too late
				}
			})
		}
		exit := h.wait(c)
		cancel()
		checks.Wait()
		if exit.Code != 7 {
			t.Fatalf("it ended with %+v", exit)
		}
		must(t, h.Remove(ctx(t), c.ID))
	}
}
