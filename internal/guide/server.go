package guide

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readyLine is the last line that a server prints when it starts.
var readyLine = regexp.MustCompile(`^setopsd ready api=http://(\S+) router=http://(\S+)$`)

// server is a command that runs behind the others.
type server struct {
	command *exec.Cmd
	log     *os.File
	said    string // what it printed until it was ready
	api     string
	router  string
	drained sync.WaitGroup
}

// startServer starts a server and waits until it is ready.
func startServer(ctx context.Context, command *exec.Cmd, logPath string) (*server, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of the server: %w", err)
	}
	s := &server{command: command, log: log}
	command.Stderr = log
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start server: %w", err), log.Close())
	}
	ready := make(chan bool, 1)
	s.drained.Go(func() { s.read(out, ready) })
	select {
	case ok := <-ready:
		if ok {
			return s, nil
		}
		err = errors.New("the server ended before it was ready")
	case <-ctx.Done():
		err = ctx.Err()
	}
	err = errors.Join(err, s.stop())
	text, _ := os.ReadFile(logPath) // what there is of it helps
	return nil, fmt.Errorf("%w; it wrote:\n%s%s", err, s.said, text)
}

// read collects what the server prints until it is ready, and drops the rest, so that it never waits for a reader.
func (s *server) read(out io.Reader, ready chan<- bool) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		s.said += lines.Text() + "\n"
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			s.api, s.router = m[1], m[2]
			ready <- true
			io.Copy(io.Discard, out) //nolint:errcheck // it ends with the server
			return
		}
	}
	ready <- false
}

// stopLimit is more than a server needs to answer what is in flight.
const stopLimit = 30 * time.Second

func (s *server) stop() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop server: %w", err)
	}
	kill := time.AfterFunc(stopLimit, func() { s.command.Process.Kill() }) //nolint:errcheck // it has ended, then
	s.drained.Wait()
	err := s.command.Wait()
	if !kill.Stop() {
		err = fmt.Errorf("it did not stop within %s: %w", stopLimit, err)
	}
	if err != nil {
		err = fmt.Errorf("stop server: %w", err)
	}
	return errors.Join(err, s.log.Close())
}

// replacements are the addresses that a guide names, and the real ones.
func (s *server) replacements() []string {
	_, port, _ := strings.Cut(s.router, ":")
	return []string{"127.0.0.1:7700", s.api, "127.0.0.1:8080", s.router, "localhost:8080", "localhost:" + port}
}
