//go:build linux

package embedded_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/host"
)

func TestAContainerIsConfinedAsDockerDoes(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("status=CapEff,CapBnd,CapInh,NoNewPrivs,Seccomp", "mount", "ls=/proc/acpi", "forever"))
	h.awaitLog(c, "app operation not permitted")
	want := []string{
		"app CapInh 0000000000000000", "app CapEff 00000000a80425fb", "app CapBnd 00000000a80425fb",
		"app NoNewPrivs 1", "app Seccomp 2", "app operation not permitted",
	}
	if got := h.log(c); !strings.HasPrefix(got, strings.Join(want, "\n")) {
		t.Errorf("log is %q, want %q", got, want)
	}
	for _, path := range []string{"/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/sys/kernel/profiling", "/sys/fs/cgroup/x"} {
		if code, output, err := h.Exec(ctx(t), c.ID, []string{"/app", "write=" + path}); err != nil || code == 0 {
			t.Errorf("%s can be written: %d, %s, %v", path, code, output, err)
		}
	}
	if own, err := os.ReadFile("/proc/timer_list"); err != nil || len(own) == 0 {
		t.Fatalf("the host's own /proc/timer_list shows %d bytes, %v", len(own), err)
	}
	if code, output, err := h.Exec(ctx(t), c.ID, []string{"/app", "cat=/proc/timer_list"}); err != nil || code != 0 || len(output) != 0 {
		t.Errorf("/proc/timer_list can be read: %d, %s, %v", code, output, err)
	}
}

func TestTheLimitsAreThoseOfTheSettings(t *testing.T) {
	h := newHouse(t)
	c := h.spec("rlimit", "forever")
	c.Container.CPU, c.Container.Memory = 512, 48
	h.run(c)
	for file, want := range map[string]string{"memory.limit_in_bytes": "50331648", "cpu.shares": "512", "pids.max": "2048"} {
		v2 := map[string]string{"memory.limit_in_bytes": "memory.max", "cpu.shares": "cpu.weight"}[file]
		if got, ok := h.cgroupValue(c, file); ok && got != want {
			t.Errorf("%s is %s, want %s", file, got, want)
		} else if _, unified := h.cgroupValue(c, v2); !ok && !unified {
			t.Errorf("neither %s nor %s is there", file, v2)
		}
	}
	h.await(func() bool { return h.log(c) != "" }, "no output")
	if files, err := strconv.Atoi(strings.TrimPrefix(h.log(c), "app ")); err != nil || files < 1024 {
		t.Errorf("the container may open %d files, %v", files, err)
	}
}

func TestAContainerThatForksForEverFillsNoMoreThanItsOwnPlace(t *testing.T) {
	h := newHouse(t)
	c := h.spec("fork", "forever")
	c.Container.Memory = 256
	h.run(c)
	h.await(func() bool { return strings.Contains(h.log(c), "app forked") }, "it forks and forks")
	var n int
	if _, err := fmt.Sscanf(h.log(c), "app forked %d resource temporarily unavailable", &n); err != nil || n < 1024 || n >= 2048 {
		t.Errorf("log is %q", h.log(c))
	}
	if now, found := h.cgroupValue(c, "pids.current"); !found || atoi(t, now) > 2048 {
		t.Errorf("it has %q processes", now)
	}
	must(t, h.Remove(ctx(t), c.ID))
	if left := h.traces(c); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func (h *house) cgroupValue(c host.Spec, file string) (string, bool) {
	if file == "" {
		return "", false
	}
	for _, dir := range h.cgroups(c.ID) {
		if b, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
			return strings.TrimSpace(string(b)), true
		}
	}
	return "", false
}

func TestAContainerKnowsItsNamesAndNameServer(t *testing.T) {
	h := newHouse(t)
	c := h.spec("cat=/etc/hostname", "cat=/etc/resolv.conf", "cat=/etc/hosts", "cat=/proc/sys/kernel/hostname")
	ip, err := h.Create(ctx(t), c)
	must(t, err)
	must(t, h.Start(ctx(t), c.ID))
	checkExit(t, h.wait(c), host.Exit{})
	name := "web-" + c.ID[:8]
	gateway := ip[:strings.LastIndexByte(ip, '.')] + ".1"
	for _, want := range []string{"app " + name, "app nameserver " + gateway, "app 127.0.0.1\tlocalhost", "app " + ip + "\t" + name} {
		if !strings.Contains(h.log(c)+"\n", want+"\n") {
			t.Errorf("%q is not in %q", want, h.log(c))
		}
	}
	if strings.Contains(h.log(c), "::1") {
		t.Errorf("localhost is an address that no container has: %q", h.log(c))
	}
}

func TestTheImagesUserDirectoryAndEnvironmentHold(t *testing.T) {
	h := newHouse(t)
	files := appFiles(t)
	files["etc/passwd"] = file{0o644, []byte("root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/home/web:/bin/sh\n")}
	files["etc/group"] = file{0o644, []byte("web:x:1001:\nlog:x:1500:web\n")}
	image := h.images.add(t, v1.Config{
		Entrypoint: []string{"/app"}, Cmd: []string{"id", "cwd", "env=HOME", "env=COLOUR", "env=SIZE", "env=PATH", "term=0"},
		User: "web", WorkingDir: "/srv/data", Env: []string{"COLOUR=red", "SIZE=big"},
	}, files)
	c := h.spec()
	c.Container.Image, c.Container.Command, c.Container.Env = image, nil, []string{"COLOUR=blue"}
	h.run(c)
	h.awaitLog(c, "app waiting")
	if code, output, err := h.Exec(ctx(t), c.ID, []string{"/app", "listen=80"}); err != nil || code != 0 {
		t.Errorf("it cannot listen on port 80: %d, %s, %v", code, output, err)
	}
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGTERM))
	checkExit(t, h.wait(c), host.Exit{})
	want := "app 1000 1001 [1001 1500]\napp /srv/data\napp HOME=/home/web\napp COLOUR=blue\napp SIZE=big\n" +
		"app PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\napp waiting\napp asked to end"
	if got := h.log(c); got != want {
		t.Errorf("log is %q, want %q", got, want)
	}
}

func TestAFullDiskStopsTheLogAndNotTheContainer(t *testing.T) {
	h := newHouse(t)
	c := h.spec("flood=20000", "write=/tmp/flooded", "tick=5ms")
	c.LogDir = filepath.Join(h.dir, "small")
	must(t, os.Mkdir(c.LogDir, 0o700))
	must(t, unix.Mount("tmpfs", c.LogDir, "tmpfs", 0, "size=1m"))
	t.Cleanup(func() { must(t, unix.Unmount(c.LogDir, unix.MNT_DETACH)) })
	filler := filepath.Join(c.LogDir, "filler")
	must(t, os.WriteFile(filler, make([]byte, 896<<10), 0o600))
	h.run(c)
	h.await(func() bool {
		var fs unix.Statfs_t
		return unix.Statfs(c.LogDir, &fs) == nil && fs.Bavail == 0
	}, "the disk did not fill up")
	h.await(func() bool {
		code, _, err := h.Exec(ctx(t), c.ID, []string{"/app", "cat=/tmp/flooded"})
		return err == nil && code == 0
	}, "the container waits for the disk")
	must(t, os.Remove(filler))
	h.await(func() bool { return strings.Contains(h.log(c), "app tick") }, "the log never goes on")
	_, after, _ := strings.Cut(h.log(c), "system ")
	note, _, _ := strings.Cut(after, "\n")
	lost, rest, _ := strings.Cut(note, " ")
	if n, err := strconv.Atoi(lost); err != nil || n == 0 || rest != "lines of output were lost because they could not be written to the disk" {
		t.Errorf("the log says %q", note)
	}
}

func TestWhatAContainerListensOnIsSeenFromInside(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("http=127.0.0.1:4000"))
	h.awaitLog(c, "app listening")
	found, err := h.Listening(ctx(t), c.ID)
	if err != nil || len(found) != 1 || found[0].String() != "127.0.0.1:4000" {
		t.Errorf("found %v, %v", found, err)
	}
	must(t, h.Remove(ctx(t), c.ID))
	if found, err := h.Listening(ctx(t), c.ID); err == nil {
		t.Errorf("a container that is gone listens on %v", found)
	}
}

func itoa(i int) string { return strconv.Itoa(i) }

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	must(t, err)
	return n
}

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
