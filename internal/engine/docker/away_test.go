//go:build linux

package docker_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/host"
)

func TestADockerThatIsAwayForAWhileLosesNothing(t *testing.T) {
	way := openWay(t)
	h := newHouse(t)
	h.cfg.Host = "unix://" + way.path
	h.reopen(func() {})

	var words, want []string
	for i := range 300 {
		words = append(words, "print", fmt.Sprint("line ", i), "sleep", "5ms")
		want = append(want, fmt.Sprint("app line ", i))
	}
	c := h.run(h.spec(append(words, "exit", "3")...))
	ended := make(chan host.Exit, 1)
	go func() {
		exit, err := h.Wait(ctx(t), c.ID)
		if err != nil {
			t.Error(err)
		}
		ended <- exit
	}()
	h.awaitLog(c, "app line 10")
	way.shut()
	failing, cancel := context.WithTimeout(ctx(t), time.Second)
	defer cancel()
	other := h.spec("wait")
	for name, err := range map[string]error{
		"Signal": h.Signal(failing, c.ID, syscall.SIGTERM), "Remove": h.Remove(failing, other.ID),
		"Prepare": h.Prepare(failing, h.image), "EnsureNetwork": h.EnsureNetwork(failing, h.stage), "Start": h.Start(failing, other.ID),
	} {
		if err == nil {
			t.Errorf("%s succeeds while Docker is away", name)
		}
	}
	if _, err := h.Create(failing, other); err == nil {
		t.Error("Create succeeds while Docker is away")
	}
	way.open(t)
	checkExit(t, <-ended, host.Exit{Code: 3})
	if got := h.log(c); !slices.Equal(got, want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	must(t, h.EnsureNetwork(ctx(t), h.stage))
	checkExit(t, h.wait(h.run(h.spec("exit", "0"))), host.Exit{})
}

func TestAContainerThatEndedWithItsDockerIsLost(t *testing.T) {
	way := openWay(t)
	h := newHouse(t)
	h.cfg.Host = "unix://" + way.path
	h.reopen(func() {})
	c := h.run(h.spec("print", "up", "wait"))
	h.awaitLog(c, "app up")
	ended := make(chan host.Exit, 1)
	go func() {
		exit, err := h.Wait(ctx(t), c.ID)
		if err != nil {
			t.Error(err)
		}
		ended <- exit
	}()
	h.await(func() bool { return way.waiting("/wait") }, "nobody waits")
	way.shut()
	dockerCLI(t, "kill", "-s", "KILL", "setops-"+h.cfg.Instance+"-"+c.ID) // as Docker does without live-restore
	way.open(t)
	if exit := <-ended; !exit.Lost {
		t.Errorf("exit is %+v", exit)
	}
}

func TestAFloodThatFillsDockersFilesHasNoGap(t *testing.T) {
	h := newHouse(t)
	const rounds, lines = 300, 1000 // 30 MB, twice as much as one file of Docker's takes
	c := h.spec()
	for range rounds {
		c.Container.Command = append(c.Container.Command, "env", "BLOCK")
	}
	c.Container.Env = []string{"BLOCK=" + strings.Repeat(strings.Repeat("x", 99)+"\n", lines)}
	checkExit(t, h.wait(h.run(c)), host.Exit{})
	if got := h.log(c); len(got) != rounds*(lines+1) {
		t.Errorf("%d lines, want %d", len(got), rounds*(lines+1))
	}
}

// way leads to Docker's socket, and can be shut as a Docker that ends does.
type way struct {
	path string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]*request
	serving  sync.WaitGroup
}

// request is the beginning of what was last asked on a connection.
type request struct {
	mu   sync.Mutex
	text string
}

func openWay(t *testing.T) *way {
	t.Helper()
	w := &way{path: filepath.Join(t.TempDir(), "s"), conns: map[net.Conn]*request{}}
	w.open(t)
	t.Cleanup(w.shut)
	return w
}

func (w *way) open(t *testing.T) {
	t.Helper()
	l, err := net.Listen("unix", w.path)
	must(t, err)
	w.mu.Lock()
	w.listener = l
	w.mu.Unlock()
	w.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			w.serving.Go(func() { w.lead(conn) })
		}
	})
}

func (w *way) lead(conn net.Conn) {
	defer conn.Close()
	docker, err := net.Dial("unix", strings.TrimPrefix(cmp.Or(os.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock"), "unix://"))
	if err != nil {
		return
	}
	defer docker.Close()
	asked := &request{}
	w.mu.Lock()
	w.conns[conn], w.conns[docker] = asked, asked
	w.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(conn, docker)
		conn.Close()
	}()
	_, _ = io.Copy(io.MultiWriter(docker, asked), conn)
	docker.Close()
	<-done
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, conn)
	delete(w.conns, docker)
}

func (r *request) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = string(p)
	return len(p), nil
}

// waiting reports a request whose first line has that in it, and that was the last on its connection.
func (w *way) waiting(part string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.conns {
		r.mu.Lock()
		line, _, _ := strings.Cut(r.text, "\r\n")
		r.mu.Unlock()
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}

func (w *way) shut() {
	w.mu.Lock()
	w.listener.Close()
	for conn := range w.conns {
		conn.Close()
	}
	w.mu.Unlock()
	w.serving.Wait()
}
