package cli_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/setopsco/setops/internal/cli"
	"golang.org/x/sys/unix"
)

// settings are those of the terminal's line discipline.
func (x *terminal) settings() unix.Termios {
	x.t.Helper()
	s, err := unix.IoctlGetTermios(int(x.tty.Fd()), unix.TCGETS)
	if err != nil {
		x.t.Fatal(err)
	}
	return *s
}

// attachOn runs task:attach on a terminal while a person does something, and wants the terminal back as it was.
func attachOn(t *testing.T, s *session, person func(*terminal, context.CancelFunc)) (x *terminal, code int) {
	t.Helper()
	return onTerminal(t, s, person, "task:attach", "55a9", "--", "bash", "-l")
}

// onTerminal is attachOn for any command of the app web.
func onTerminal(t *testing.T, s *session, person func(*terminal, context.CancelFunc), words ...string) (x *terminal, code int) {
	t.Helper()
	x = newTerminal(t)
	before := x.settings()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var acting sync.WaitGroup
	acting.Go(func() { person(x, cancel) })
	code = cli.Main(ctx, append([]string{"-p", "shop", "-s", "production", "--app", "web"}, words...), s.environ, x.tty, x.tty, x.tty)
	acting.Wait()
	x.types("\n") // a read of the terminal cannot be taken back, only satisfied
	if x.settings() != before {
		t.Errorf("the terminal has other settings than before: %+v, %+v", x.settings(), before)
	}
	return x, code
}

func TestAnAttachedProgramHasTheTerminal(t *testing.T) {
	_, code := attachOn(t, newSession(t), func(x *terminal, _ context.CancelFunc) {
		x.await("[bash -l] terminal=true 120x24")
		for _, key := range []string{"\x03", "\x04", "\x1c"} { // Ctrl-C, Ctrl-D, Ctrl-\
			x.types(key)
		}
		x.await(`\x1c`)
		if seen := x.raw(); !strings.Contains(seen, `\x03`) || !strings.Contains(seen, `\x04`) {
			t.Errorf("keys are missing: %q", seen)
		}
		if err := unix.IoctlSetWinsize(int(x.keyboard.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100}); err != nil {
			t.Error(err)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil { // as the kernel does to who sits before it
			t.Error(err)
		}
		x.await(`{"columns":100,"rows":30}`)
		x.types("quit")
	})
	if code != 42 {
		t.Errorf("exit code %d", code)
	}
}

func TestTheTerminalComesBackHoweverAnAttachedProgramEnds(t *testing.T) {
	x, code := attachOn(t, newSession(t), func(x *terminal, _ context.CancelFunc) {
		x.await("terminal=true")
		x.types("cut")
	})
	x.await("There is no connection")
	if code != 1 {
		t.Errorf("a server that is lost: exit code %d", code)
	}
	x, code = attachOn(t, newSession(t), func(x *terminal, sigterm context.CancelFunc) {
		x.await("terminal=true")
		sigterm()
	})
	x.await("Interrupted; the command in task 55a9 was ended.")
	if code != 130 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}

func TestWithoutATerminalStreamsAreApart(t *testing.T) {
	s := newSession(t)
	var out, failures bytes.Buffer
	code := cli.Main(t.Context(), []string{"-p", "shop", "-s", "production", "--app", "web", "task:attach", "55a9", "--", "false"}, s.environ,
		strings.NewReader("\x00\x03\xff\r\n"), &out, &failures)
	want := "[false] terminal=false 0x0\n" + `["\x00\x03\xff\r\n"]` + "end\n"
	if code != 1 || out.String() != want || failures.String() != "an error\n" {
		t.Errorf("exit code %d, standard output %q, errors %q", code, out.String(), failures.String())
	}
}

func TestAnInteractiveTaskHasTheTerminal(t *testing.T) {
	s := newSession(t)
	_, code := onTerminal(t, s, func(x *terminal, _ context.CancelFunc) {
		x.await("[joined]")
		x.types("\x03\x04")
		x.await(`\x04`)
		x.types("quit")
	}, "task:run", "--interactive", "--", "bash")
	if code != 42 {
		t.Errorf("exit code %d", code)
	}
	asked := s.server.sent()[0].body
	if !strings.Contains(asked, `"interactive":{"terminal":true,"columns":120,"rows":24}`) {
		t.Errorf("it has asked for %s", asked)
	}
	x, code := onTerminal(t, s, func(x *terminal, _ context.CancelFunc) {
		x.await("[joined]")
		x.types("cut")
	}, "task:run", "--interactive", "--", "bash")
	x.await("is being stopped; if the server is down")
	if code != 1 {
		t.Errorf("a server that is lost: exit code %d", code)
	}
	x, code = onTerminal(t, s, func(x *terminal, sigterm context.CancelFunc) {
		x.await("[joined]")
		sigterm()
	}, "task:run", "--interactive", "--", "bash")
	x.await("Interrupted; task 55a9")
	if code != 130 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}
