//go:build linux

package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/setops"
)

// silence is how long a packet that was dropped is waited for.
const silence = 300 * time.Millisecond

// host is a machine of the test's own: a network namespace that the test's goroutine lives in, so that nothing here
// touches the real one. With it goes a world behind a wire, another namespace.
type host struct {
	t     *testing.T
	netns string // of the host, for goroutines that are to join it
	dir   string
}

const (
	hostInWorld = "198.51.100.1"
	world       = "198.51.100.2"
	metadata    = "169.254.169.254"
)

func newHost(t *testing.T) *host {
	t.Helper()
	needRoot(t)
	// Never unlocked: the thread, and with it the namespace, ends with the test.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, dir: t.TempDir(), netns: fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), unix.Gettid())}
	run(t, "ip", "link", "set", "lo", "up")
	return h
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("SETOPS_TEST_ALL") != "" {
		t.Fatal("networks need root")
	}
	t.Skip("networks need root")
}

func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("SETOPS_TEST_ALL") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
}

func run(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

// world connects the host to a network behind it, which has no route back to the stages. It gives its namespace.
func (h *host) world() string {
	h.t.Helper()
	path := filepath.Join(h.dir, "world")
	handle, err := makeNetNS(path)
	if err != nil {
		h.t.Fatal(err)
	}
	handle.Close()
	h.t.Cleanup(func() { removeNetNS(path) })
	run(h.t, "ip", "link", "add", "wire", "type", "veth", "peer", "name", "home")
	f, err := os.Open(path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command("ip", "link", "set", "home", "netns", "/proc/self/fd/3")
	cmd.ExtraFiles = []*os.File{f}
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("%v: %s", err, out)
	}
	run(h.t, "ip", "addr", "add", hostInWorld+"/24", "dev", "wire")
	run(h.t, "ip", "link", "set", "wire", "up")
	h.in(path, func() {
		run(h.t, "ip", "addr", "add", world+"/24", "dev", "home")
		run(h.t, "ip", "addr", "add", metadata+"/32", "dev", "home")
		run(h.t, "ip", "link", "set", "home", "up")
	})
	run(h.t, "ip", "route", "add", "default", "via", world)
	run(h.t, "ip", "route", "add", metadata, "via", world)
	return path
}

// in calls f in a network namespace and waits for it.
func (h *host) in(netns string, f func()) {
	h.t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		fd, err := unix.Open(netns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
			unix.Close(fd)
		}
		defer func() { done <- err }()
		if err == nil {
			f()
		}
	}()
	if err := <-done; err != nil {
		h.t.Fatal(err)
	}
}

// network opens a Network of the host; it is closed and emptied when the test ends.
func (h *host) network(instance string) *Network {
	h.t.Helper()
	return h.emptied(h.open(instance))
}

func (h *host) emptied(n *Network) *Network {
	h.t.Helper()
	h.t.Cleanup(func() {
		ctx := context.Background()
		for id := range n.stages {
			if err := n.RemoveStage(ctx, id); err != nil {
				h.t.Error(err)
			}
		}
		if err := n.Close(); err != nil {
			h.t.Error(err)
		}
	})
	return n
}

func (h *host) open(instance string) *Network {
	h.t.Helper()
	return h.openWith(Config{Instance: instance})
}

func (h *host) openWith(cfg Config) *Network {
	h.t.Helper()
	cfg.Dir, cfg.ResolvConf = filepath.Join(h.dir, cfg.Instance), filepath.Join(h.dir, "resolv.conf")
	n, err := New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *host) stage(n *Network, id string) *stage {
	h.t.Helper()
	if err := n.EnsureStage(context.Background(), ref(id)); err != nil {
		h.t.Fatal(err)
	}
	return n.stages[id]
}

func ref(id string) setops.StageRef {
	return setops.StageRef{ID: id, Organization: "demo", Project: "shop", Name: id}
}

func (h *host) attach(n *Network, stageID, containerID string) Endpoint {
	h.t.Helper()
	e, err := n.Attach(context.Background(), stageID, containerID)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// serve answers every connection to address with who asked; it gives the port.
func (h *host) serve(netns, address string) (port string) {
	h.t.Helper()
	return h.serveAt(netns, net.JoinHostPort(address, "0"))
}

func (h *host) serveAt(netns, address string) (port string) {
	h.t.Helper()
	h.in(netns, func() {
		l, err := net.Listen("tcp4", address)
		if err != nil {
			h.t.Error(err)
			return
		}
		_, port, _ = net.SplitHostPort(l.Addr().String())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				who, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				io.WriteString(c, who)
				c.Close()
			}
		}()
		h.t.Cleanup(func() { l.Close(); <-done })
	})
	return port
}

var errSilence = errors.New("no answer")

// ask connects from a namespace and gives what the other side said: who it takes us for.
func (h *host) ask(netns, address, port string) (who string, err error) {
	h.t.Helper()
	return h.askFrom(netns, "", address, port)
}

func (h *host) askFrom(netns, source, address, port string) (who string, err error) {
	h.t.Helper()
	h.in(netns, func() {
		d := net.Dialer{Timeout: silence}
		if source != "" {
			d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(source)}
		}
		var c net.Conn
		c, err = d.Dial("tcp4", net.JoinHostPort(address, port))
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			err = errSilence
		}
		if err != nil {
			return
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute))
		var b []byte
		b, err = io.ReadAll(c)
		who = string(b)
	})
	return who, err
}

func (h *host) mustReach(netns, address, port string) (who string) {
	h.t.Helper()
	who, err := h.ask(netns, address, port)
	if err != nil {
		h.t.Errorf("%s is out of reach: %v", address, err)
	}
	return who
}

func (h *host) mustNotReach(netns, address, port string) {
	h.t.Helper()
	if _, err := h.ask(netns, address, port); !errors.Is(err, errSilence) && !errors.Is(err, unix.EHOSTUNREACH) {
		h.t.Errorf("%s can be reached: %v", address, err)
	}
}
