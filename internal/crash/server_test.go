//go:build linux

package crash

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/freeport"
)

// patience is far more than anything takes on a machine that is busy, or that runs several clusters.
const patience = 3 * time.Minute

// server is a setopsd in processes of its own, with the same addresses at each start.
type server struct {
	t       *testing.T
	program string
	engine  string
	cluster *cluster // nil: tasks run on this machine
	docker  string   // socket of Docker Engine; empty: the usual one
	dir     string
	port    int    // of the API; the router's and those of tcp apps follow
	twin    int    // port of the API of a second server, which has the other ports of the first
	url     string // of the database; empty: SQLite
	id      string // of the data directory, once it is known
	faults  string // file with those that the server has yet to meet; see arm
	life    *life
}

// ports is how many of them a server has.
const ports = 6

// life is a process, and those that took over from it.
type life struct {
	command *exec.Cmd
	ready   chan struct{} // each ready line is one
	ended   chan struct{} // closed when no process is left
}

func newServer(t *testing.T, engine string) *server {
	t.Helper()
	program, err := programs()
	must(t, err)
	dir, err := os.MkdirTemp("", "setops-crash-")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	s := &server{
		t: t, program: filepath.Join(dir, "setopsd"), engine: engine, cluster: newCluster(t, engine), dir: dir, port: freePorts(t), faults: filepath.Join(dir, "faults"),
	}
	// Links of its own: processes of this server are told from others by their program.
	for _, name := range []string{"setopsd", "setops-shim"} {
		must(t, os.Link(filepath.Join(filepath.Dir(program), name), filepath.Join(dir, name)))
	}
	return s
}

// freePorts are those of a server, which gets them again after a crash.
func freePorts(t *testing.T) int {
	t.Helper()
	first, err := freeport.Row(ports)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

// taken lists the ports that cannot be listened on.
func taken(first int) (all []int) {
	for port := first; port < first+ports; port++ {
		l, err := net.Listen("tcp", local(port))
		if err != nil {
			all = append(all, port)
			continue
		}
		l.Close() //nolint:errcheck // nobody has called
	}
	return all
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (s *server) api() string    { return local(cmp.Or(s.twin, s.port)) }
func (s *server) router() string { return local(s.port + 1) }

// kept is where an engine keeps the records and logs of tasks.
func (s *server) kept(sub ...string) string {
	home := "supervisor"
	if s.cluster != nil {
		home = "kubernetes"
	}
	return s.data(append([]string{"engine", home}, sub...)...)
}

func (s *server) data(sub ...string) string {
	return filepath.Join(append([]string{s.dir, "data"}, sub...)...)
}

// start starts the program and waits until it is ready.
func (s *server) start() {
	s.t.Helper()
	s.launch()
	s.awaitReady()
}

func (s *server) launch() {
	s.t.Helper()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(s.t, err)
	defer log.Close() //nolint:errcheck // nothing is written to it here
	args := []string{
		"serve", "--data-dir", s.data(), "--engine", s.engine, "--listen", s.api(), "--http-listen", s.router(),
		"--tcp-ports", fmt.Sprintf("%d-%d", s.port+2, s.port+ports-1),
	}
	if s.url != "" {
		args = append(args, "--database", s.url)
	}
	if s.docker != "" {
		args = append(args, "--docker-host", "unix://"+s.docker)
	}
	if s.cluster != nil {
		args = append(args, s.cluster.flags()...)
	}
	l := &life{command: exec.Command(s.program, args...), ready: make(chan struct{}, 1), ended: make(chan struct{})}
	l.command.Stderr = log
	l.command.Env = append(os.Environ(), "SETOPSD_CHAOS="+s.faults)
	out, err := l.command.StdoutPipe()
	must(s.t, err)
	must(s.t, l.command.Start())
	s.life = l
	go func() {
		defer close(l.ended) // all processes share the pipe
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "setopsd ready ") {
				select {
				case l.ready <- struct{}{}:
				default: // nobody waits for them
				}
			}
		}
	}()
}

func (s *server) awaitReady() {
	s.t.Helper()
	select {
	case <-s.life.ready:
		return
	case <-s.life.ended:
	case <-time.After(patience):
	}
	s.t.Fatal("the server is not ready; log:\n", s.logged())
}

// kill ends all processes of the server, but no task. One that reloads may start another while they are listed.
func (s *server) kill() {
	s.t.Helper()
	s.await("no process of the server is left", func() error {
		err := killAll(s.processes())
		if s.isAlive() {
			return fmt.Errorf("processes %v, %w", s.processes(), err)
		}
		return nil
	})
	s.awaitEnd()
}

// stop ends the server as an operator does.
func (s *server) stop() {
	s.t.Helper()
	for _, pid := range s.processes() {
		if err := syscall.Kill(pid, syscall.SIGTERM); !errors.Is(err, syscall.ESRCH) { // it has ended by itself, after a reload
			must(s.t, err)
		}
	}
	s.awaitEnd()
}

func (s *server) awaitEnd() {
	s.t.Helper()
	select {
	case <-s.life.ended:
	case <-time.After(patience):
		s.t.Fatalf("processes %v have not ended; log:\n%s", s.processes(), s.logged())
	}
	_ = s.life.command.Wait() // it was killed
}

// isAlive reports whether a process of the server is there.
func (s *server) isAlive() bool {
	select {
	case <-s.life.ended:
		return false
	default:
		return true
	}
}

// processes are those of the server, without shims.
func (s *server) processes() []int { return processesOf(s.program) }

// processesOf lists who runs a program.
func processesOf(program string) (pids []int) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || target != program {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (s *server) logged() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	must(s.t, err)
	return string(text)
}

// await asks again and again until nothing is wrong any more.
func (s *server) await(what string, wrong func() error) {
	s.t.Helper()
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = wrong(); err == nil {
			return
		}
	}
	s.t.Fatalf("%s: not within %s: %v; log:\n%s", what, patience, err, s.logged())
}
