//go:build linux

package crash

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

func TestTasksAreReplacedWhenDockerIsBack(t *testing.T) {
	t.Parallel()
	needDocker(t)
	d := newDockerd(t)
	h := newHouse(t, "docker", func(s *server) { d.user, s.docker = s, d.socket; d.start() })

	for _, end := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		before := h.tasks()
		d.end(end)
		if _, err := h.client.Apps(t.Context(), stageRef); err != nil {
			t.Errorf("the API does without Docker: %v", err)
		}
		d.start()
		h.comesBack(before)
	}

	h.stageVersion()
	c, err := h.client.StartCommit(t.Context(), stageRef, api.StartCommit{})
	must(t, err)
	came, gone := in("applying", 6).came, false
	last, err := h.client.WatchCommit(t.Context(), stageRef, c.ID, func(p api.Progress) {
		if !gone && came(p) {
			gone = true
			d.end(syscall.SIGKILL)
			d.start()
		}
	})
	must(t, err)
	t.Logf("the commit that Docker left: %s, %+v", last.State, last.Failure)
	h.await("all apps serve", func() error { _, err := h.versions(); return err })
	h.judge(c.ID, last.State == "done")
	h.settle()
	h.stageVersion()
	h.commit()
	h.serves(h.live)
	h.settle()
	h.destroy()
}

// dockerd is a Docker Engine of one test, beside that of this machine, which others use.
type dockerd struct {
	t       *testing.T
	user    *server
	dir     string
	socket  string
	bridge  string // its own: with none, Docker 20.10 deletes docker0, which is that of this machine's Docker
	command *exec.Cmd
}

func newDockerd(t *testing.T) *dockerd {
	t.Helper()
	_, err := exec.LookPath("dockerd")
	need(t, err == nil, "dockerd is not installed")
	dir, err := os.MkdirTemp("", "setops-dockerd-")
	must(t, err)
	d := &dockerd{t: t, dir: dir, socket: filepath.Join(dir, "docker.sock"), bridge: fmt.Sprintf("sx%d", os.Getpid())}
	t.Cleanup(d.close)
	ip(t, "link", "add", d.bridge, "type", "bridge")
	ip(t, "address", "add", "192.0.2.1/29", "dev", d.bridge) // reserved for documentation: it is nobody's
	// A file system of its own, as many have it. Else Docker 20.10 mounts the directory on itself at each start, over what a
	// container had mounted that it began to start while it ended, and can never remove that one.
	data := filepath.Join(dir, "data")
	must(t, os.Mkdir(data, 0o700))
	must(t, syscall.Mount(data, data, "", syscall.MS_BIND, ""))
	must(t, syscall.Mount("", data, "", syscall.MS_PRIVATE, ""))
	return d
}

func (d *dockerd) start() {
	d.t.Helper()
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(d.t, err)
	defer log.Close() //nolint:errcheck // nothing is written to it here
	name := filepath.Base(d.dir)
	d.command = exec.Command("dockerd",
		"--data-root", filepath.Join(d.dir, "data"), "--exec-root", filepath.Join(d.dir, "exec"),
		"--pidfile", filepath.Join(d.dir, "pid"), "--host", "unix://"+d.socket, "--live-restore=false",
		"--containerd-namespace", name, "--containerd-plugins-namespace", name+"-plugins",
		"--bridge", d.bridge, "--iptables=false", "--ip6tables=false", // those of this machine's Docker are its own
	)
	d.command.Stdout, d.command.Stderr = log, log
	must(d.t, d.command.Start())
	d.user.await("Docker answers", func() error {
		if out, err := exec.Command("docker", "--host", "unix://"+d.socket, "info").CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// end ends dockerd, and waits for the containerd that it has started: the next one would rely on it.
func (d *dockerd) end(by syscall.Signal) {
	d.t.Helper()
	containerd, err := os.ReadFile(filepath.Join(d.dir, "exec", "containerd", "containerd.pid"))
	must(d.t, err)
	must(d.t, d.command.Process.Signal(by))
	_ = d.command.Wait() // dockerd ends its containers within its own limit
	d.command = nil
	d.user.await("containerd has ended", func() error {
		if _, err := os.Stat("/proc/" + strings.TrimSpace(string(containerd))); err == nil {
			return errors.New("it runs")
		}
		return nil
	})
}

// close ends it for good, with all that it leaves when it was killed.
func (d *dockerd) close() {
	if d.command != nil {
		d.end(syscall.SIGTERM)
	}
	for _, pid := range d.shims() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, name := range interfaces(d.user.instance()) {
		_ = exec.Command("ip", "link", "delete", name).Run() // gone already: one end of a pair takes the other along
	}
	ip(d.t, "link", "delete", d.bridge)
	for _, point := range mountsBelow(d.t, d.dir) {
		_ = syscall.Unmount(point, syscall.MNT_DETACH) // gone already: the one above it took it along
	}
	if err := os.RemoveAll(d.dir); err != nil {
		d.t.Error(err)
	}
}

// shims stand beside containers of this Docker, whose namespace is in their arguments.
func (d *dockerd) shims() (pids []int) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(d.t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(text, []byte(filepath.Base(d.dir))) || !bytes.Contains(text, []byte("containerd-shim")) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Errorf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}
