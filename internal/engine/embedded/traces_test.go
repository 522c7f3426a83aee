//go:build linux

package embedded_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/setopsco/setops/internal/engine/embedded/wire"
	"github.com/setopsco/setops/internal/engine/host"
)

// processes are the pids in the container's cgroup.
func (h *house) processes(c host.Spec) []string {
	h.t.Helper()
	for _, dir := range h.cgroups(c.ID) {
		b, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err == nil {
			return strings.Fields(string(b))
		}
	}
	return nil
}

func (h *house) cgroups(id string) []string {
	h.t.Helper()
	var all []string
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		found, err := filepath.Glob(pattern + "setops-" + h.instance + "/" + id)
		must(h.t, err)
		all = append(all, found...)
	}
	return all
}

// traces is all that is left of the container in the kernel and on the disk, its log aside.
func (h *house) traces(c host.Spec) []string {
	h.t.Helper()
	left := h.cgroups(c.ID)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	must(h.t, err)
	for line := range bytes.Lines(mounts) {
		if bytes.Contains(line, []byte(c.ID)) {
			left = append(left, "mount "+string(line))
		}
	}
	for _, pid := range pids() {
		cmdline, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		if bytes.Contains(cmdline, []byte(c.ID)) {
			left = append(left, "process "+string(cmdline))
		}
	}
	must(h.t, filepath.WalkDir(h.dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.Contains(filepath.Base(path), c.ID) {
			left = append(left, path)
		}
		return nil
	}))
	return left
}

func pids() []string {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var all []string
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			all = append(all, e.Name())
		}
	}
	return all
}

// shim is the process of the container's shim.
func (h *house) shim(c host.Spec) wire.Process {
	h.t.Helper()
	record, err := wire.ReadRecord(filepath.Join(h.cfg.Dir, "tasks", c.ID))
	must(h.t, err)
	return record.Shim
}
