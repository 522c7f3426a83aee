package daemon_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is far more than anything takes.
const patience = 60 * time.Second

// server is a setopsd in processes of its own.
type server struct {
	t       *testing.T
	dir     string
	flags   []string // besides those of every test
	log     string   // what it has logged is in this file
	command *exec.Cmd
	ready   chan []string // addresses of each process that got ready: API, router, router with TLS
	ended   chan struct{} // closed when no process of it is left
	api     string
	router  string
	tls     string // of the router; empty: it speaks no TLS
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir(), ready: make(chan []string, 1), ended: make(chan struct{})}
	s.log = filepath.Join(s.dir, "log")
	return s
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

var readyLine = regexp.MustCompile(`^setopsd ready api=http://(\S+) router=http://(\S+)(?: router-tls=https://(\S+))?$`)

// start starts the program that serves. variables are added to its environment.
func (s *server) start(program string, variables ...string) {
	s.t.Helper()
	log, err := os.Create(s.log)
	s.must(err)
	s.command = exec.Command(program, append([]string{
		"serve", "--data-dir", filepath.Join(s.dir, "data"), "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
	}, s.flags...)...)
	s.command.Env = append(os.Environ(), variables...)
	s.command.Stderr = log
	out, err := s.command.StdoutPipe()
	s.must(err)
	s.must(s.command.Start())
	log.Close() //nolint:errcheck // nothing was written to it
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(s.ended) // all processes share the pipe
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if found := readyLine.FindStringSubmatch(lines.Text()); found != nil {
				s.ready <- found[1:]
			}
		}
	})
	s.t.Cleanup(func() {
		if s.command.ProcessState == nil {
			s.kill()
		}
		reading.Wait()
	})
	addresses := s.awaitReady()
	s.api, s.router, s.tls = addresses[0], addresses[1], addresses[2]
}

// awaitReady waits for the next process that is ready.
func (s *server) awaitReady() []string {
	s.t.Helper()
	select {
	case addresses := <-s.ready:
		if s.api != "" && !slices.Equal(addresses, []string{s.api, s.router, s.tls}) {
			s.t.Errorf("the addresses changed: %v", addresses)
		}
		return addresses
	case <-s.ended:
	case <-time.After(patience):
	}
	s.t.Fatalf("no process is ready; log:\n%s", s.logged())
	return nil
}

func (s *server) logged() string {
	text, err := os.ReadFile(s.log)
	s.must(err)
	return string(text)
}

// kill is for tests that have failed.
func (s *server) kill() {
	_ = syscall.Kill(s.pid(), syscall.SIGKILL)
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
}

// pid is the process that serves, as an operator finds it.
func (s *server) pid() int {
	text, err := os.ReadFile(filepath.Join(s.dir, "data", "lock"))
	s.must(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	s.must(err)
	return pid
}

func (s *server) hangUp() {
	s.t.Helper()
	s.must(syscall.Kill(s.pid(), syscall.SIGHUP))
}

// upgrade hangs up and waits for the next process.
func (s *server) upgrade() {
	s.t.Helper()
	before := s.pid()
	s.hangUp()
	s.awaitReady()
	if s.pid() == before {
		s.t.Error("the same process is ready again")
	}
}

// stop stops the server.
func (s *server) stop() {
	s.t.Helper()
	s.must(syscall.Kill(s.pid(), syscall.SIGTERM))
	s.awaitEnd()
}

// awaitEnd waits until no process of the server is left.
func (s *server) awaitEnd() {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(2 * patience):
		s.t.Fatalf("processes are left; log:\n%s", s.logged())
	}
	if err := s.command.Wait(); err != nil {
		s.t.Errorf("the first process: %v", err)
	}
	if log := s.logged(); strings.Contains(log, "DATA RACE") {
		s.t.Error(log)
	}
}

// awaitLog waits for a line that has all of these words.
func (s *server) awaitLog(words ...string) {
	s.t.Helper()
	s.await(fmt.Sprintf("log has %q", words), func() bool {
		for line := range strings.Lines(s.logged()) {
			all := true
			for _, w := range words {
				all = all && strings.Contains(line, w)
			}
			if all {
				return true
			}
		}
		return false
	})
}

// await asks again and again.
func (s *server) await(what string, holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	s.t.Fatalf("%s: not within %s; log:\n%s", what, patience, s.logged())
}

// leaveOut skips a test, unless none may be left out.
func leaveOut(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("SETOPS_TEST_ALL") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}
