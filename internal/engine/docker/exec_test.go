//go:build linux

package docker_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/host"
)

func TestExecGivesCodeAndOutput(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("wait"))
	for _, test := range []struct {
		argv   []string
		code   int
		output string
	}{
		{[]string{"/testapp", "print", "x", "env", "PORT", "exit", "3"}, 3, "x\nPORT=5000\n"},
		{[]string{"/testapp", "print", strings.Repeat("x", 10000)}, 0, strings.Repeat("x", 4096)},
		{[]string{"/nothing/here"}, 127, "there is no program /nothing/here in the image"},
		{[]string{"nothing"}, 127, `there is no program "nothing" in the image`},
		{[]string{"/readme"}, 126, "/readme is not executable"},
	} {
		code, output, err := h.Exec(ctx(t), c.ID, test.argv)
		if err != nil || code != test.code || string(output) != test.output {
			t.Errorf("%.40q gave %d, %.100q, %v", test.argv, code, output, err)
		}
	}
	if _, _, err := h.Exec(ctx(t), c.ID, nil); err == nil {
		t.Error("an empty command is run")
	}
}

func TestExecEndsWithItsContextAndSoDoesTheProgram(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("wait"))
	said := ""
	for limit := time.Second; said != "asleep\n" && limit < patience; limit *= 2 { // a busy machine begins it late
		short, cancel := context.WithTimeout(ctx(t), limit)
		code, output, err := h.Exec(short, c.ID, []string{"/testapp", "print", "asleep", "sleep", "1h"})
		cancel()
		if said = string(output); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix("asleep\n", said) {
			t.Fatalf("within %s: %d, %q, %v", limit, code, said, err)
		}
	}
	if said == "" {
		t.Error("what it said is lost")
	}
	h.await(func() bool { return len(processes(t, "asleep")) == 0 }, "the program goes on")
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGTERM))
	checkExit(t, h.wait(c), host.Exit{})
}

// TestAProgramThatIsGivenUpAsItBeginsEnds ends the context at moments in which Docker has taken the program and not begun it.
func TestAProgramThatIsGivenUpAsItBeginsEnds(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("wait"))
	for limit := time.Millisecond; limit < 200*time.Millisecond; limit += limit/4 + time.Millisecond {
		short, cancel := context.WithTimeout(ctx(t), limit)
		_, _, err := h.Exec(short, c.ID, []string{"/testapp", "print", "given_up", "sleep", "1h"})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("within %s: %v", limit, err)
		}
	}
	h.await(func() bool { return len(processes(t, "given_up")) == 0 }, "a program goes on")
}

func TestExecInAContainerThatHasEndedIsAnError(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("exit", "0"))
	h.wait(c)
	if code, _, err := h.Exec(ctx(t), c.ID, []string{"/testapp", "exit", "0"}); err == nil {
		t.Errorf("code %d", code)
	}
	if _, _, err := h.Exec(ctx(t), "nobody", []string{"/testapp"}); err == nil {
		t.Error("a container that is not there")
	}
}

// processes lists those that have the word among their arguments.
func processes(t *testing.T, word string) []string {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	var found []string
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), "\x00"+word+"\x00") {
			found = append(found, path)
		}
	}
	return found
}
