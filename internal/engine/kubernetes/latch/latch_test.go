//go:build linux

package latch_test

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/setopsco/setops/internal/engine/kubernetes/latch/latchtest"
)

// held is a program behind a latch.
type held struct {
	*exec.Cmd
	in       io.WriteCloser
	out, err bytes.Buffer
}

func hold(t *testing.T, env string, words ...string) *held {
	t.Helper()
	h := &held{Cmd: exec.Command(latchtest.Build(t, "../../../.."), append([]string{"word", "2", "0", "0"}, words...)...)}
	h.Stdout, h.Stderr, h.Env = &h.out, &h.err, []string{env}
	in, err := h.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	h.in = in
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	return h
}

// types writes, ends the input, and gives the exit code.
func (h *held) types(t *testing.T, text string) int {
	t.Helper()
	if _, err := io.WriteString(h.in, text); err != nil && !errors.Is(err, syscall.EPIPE) {
		t.Fatal(err)
	}
	if err := h.in.Close(); err != nil {
		t.Fatal(err)
	}
	var ended *exec.ExitError
	if err := h.Wait(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return h.ProcessState.ExitCode()
}

func TestAProgramBeginsWhenSomebodyHasComeAndReadsWhatFollows(t *testing.T) {
	h := hold(t, "PATH=/nowhere:/usr/bin:/bin", "cat")
	if code := h.types(t, "??!hello\n!?"); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := h.out.String(); got != "word?\nword?\nword!\nhello\n!?" {
		t.Errorf("output: %q", got)
	}
	if got := h.err.String(); got != "word?\nword?\nword!\n" {
		t.Errorf("errors: %q", got)
	}
}

func TestAProgramThatNobodyComesForDoesNotBegin(t *testing.T) {
	h := hold(t, "PATH=/bin", "/bin/echo", "begun")
	if code := h.types(t, "?"); code != 1 || strings.Contains(h.out.String(), "begun") {
		t.Errorf("exit code %d, %q", code, &h.out)
	}
}

func TestAProgramThatIsNotThereIsSaidToBeSoBeforeAnybodyComes(t *testing.T) {
	for _, test := range []struct {
		program string
		code    int
	}{{"nothing", 127}, {"/no/such/program", 127}, {"/etc/passwd", 126}} {
		if code := hold(t, "PATH=/usr/bin:/bin", test.program).types(t, ""); code != test.code {
			t.Errorf("%s: exit code %d", test.program, code)
		}
	}
}

func TestALatchEndsBySignal(t *testing.T) {
	c := exec.Command(latchtest.Build(t, "../../../.."), "word", "1", "0", "0", "/bin/echo")
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	if err := errors.Join(err1, err2, c.Start()); err != nil {
		t.Fatal(err)
	}
	_, err1 = io.WriteString(in, "?")
	_, err2 = io.ReadFull(out, make([]byte, len("word?\n"))) // it waits
	if err := errors.Join(err1, err2, c.Process.Signal(syscall.SIGTERM)); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // its exit code tells
	if code := c.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit code %d", code)
	}
}
