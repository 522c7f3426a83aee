//go:build linux

package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/embedded/network"
)

// Check says in sentences what containers need and this machine, or this process, does not have. Empty: all is there.
func Check() []string {
	if os.Geteuid() != 0 {
		return []string{"setopsd does not run as root, which mounts, networks and memory limits of containers need."}
	}
	return slices.Concat(checkCapabilities(), checkKernel(), checkCgroups(), network.Check())
}

func checkCapabilities() []string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return []string{fmt.Sprintf("The capabilities of setopsd cannot be read: %v.", err)}
	}
	var lacks []string
	for _, c := range []struct {
		name string
		bit  uint
	}{
		{"CAP_SYS_ADMIN", unix.CAP_SYS_ADMIN},
		{"CAP_NET_ADMIN", unix.CAP_NET_ADMIN},
		{"CAP_SYS_CHROOT", unix.CAP_SYS_CHROOT},
		{"CAP_SETUID", unix.CAP_SETUID},
		{"CAP_SETGID", unix.CAP_SETGID},
		{"CAP_MKNOD", unix.CAP_MKNOD},
		{"CAP_KILL", unix.CAP_KILL},
		{"CAP_DAC_OVERRIDE", unix.CAP_DAC_OVERRIDE},
		{"CAP_CHOWN", unix.CAP_CHOWN},
	} {
		if data[c.bit/32].Effective&(1<<(c.bit%32)) == 0 {
			lacks = append(lacks, c.name)
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("setopsd runs as root without %s: it may be inside a container itself, which has to be privileged.",
		strings.Join(lacks, ", "))}
}

func checkKernel() []string {
	var missing []string
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		missing = append(missing, fmt.Sprintf("The kernel cannot hold on to a process (pidfd_open: %v): Linux 5.6 or newer is needed.", err))
	}
	unix.Close(fd)
	fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC) // loads the module where it is one
	if err != nil {
		missing = append(missing, fmt.Sprintf("The kernel has no overlay file system (%v): load its module with `modprobe overlay`.", err))
	}
	unix.Close(fs)
	for _, ns := range []string{"pid", "mnt", "ipc", "uts", "net"} {
		if !exists("/proc/self/ns/" + ns) {
			missing = append(missing, fmt.Sprintf("The kernel has no %s namespaces.", ns))
		}
	}
	if !exists("/proc/sys/kernel/seccomp/actions_avail") {
		missing = append(missing, "The kernel cannot filter system calls (seccomp).")
	}
	return missing
}

// checkCgroups looks for the controllers that limits are made of. In version 2, devices and freezer are always there.
func checkCgroups() []string {
	if cgroups.IsCgroup2UnifiedMode() {
		list, err := os.ReadFile(filepath.Join(cgroupRoot, "cgroup.controllers"))
		if err != nil {
			return []string{fmt.Sprintf("The cgroup controllers cannot be read: %v.", err)}
		}
		there := strings.Fields(string(list))
		return lacking([]string{"memory", "cpu", "pids"}, func(c string) bool { return slices.Contains(there, c) })
	}
	return lacking([]string{"memory", "cpu", "pids", "devices", "freezer"}, func(c string) bool {
		var fs unix.Statfs_t
		dir := filepath.Join(cgroupRoot, c)
		return unix.Statfs(dir, &fs) == nil && fs.Type == unix.CGROUP_SUPER_MAGIC && unix.Access(dir, unix.W_OK) == nil
	})
}

func lacking(controllers []string, there func(string) bool) []string {
	var missing []string
	for _, c := range controllers {
		if !there(c) {
			missing = append(missing, fmt.Sprintf("There is no cgroup controller %s that setopsd may use below %s.", c, cgroupRoot))
		}
	}
	return missing
}
