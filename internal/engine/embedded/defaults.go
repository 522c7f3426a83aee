//go:build linux

package embedded

import (
	"fmt"
	"os"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/host"
)

const (
	pidsLimit = 2048    // processes and threads of one container
	openFiles = 1 << 20 // of one process, where this process may grant so many
)

// capabilities are Docker's defaults: what images of the world count on.
var capabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
	"CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
}

// maskedPaths cannot be read inside, readonlyPaths not be written: they speak of, or to, the whole machine.
var (
	maskedPaths = []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap",
		"/sys/firmware",
	}
	readonlyPaths = []string{
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
		"/sys/fs/cgroup", // with cgroups of version 1 a tmpfs, which the mount's own option leaves writable
	}
)

// sysctls let programs that are not root listen on any port and send echo requests, as Docker does: the network is the
// container's own.
var sysctls = map[string]string{
	"net.ipv4.ip_unprivileged_port_start": "0",
	"net.ipv4.ping_group_range":           "0 2147483647",
}

func systemMounts() []specs.Mount {
	all := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: []string{"nosuid", "noexec", "nodev", "ro"}},
		{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"}},
	}
	if exists("/proc/sys/fs/mqueue") {
		all = append(all, specs.Mount{
			Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"},
		})
	}
	return all
}

// seccompProfile is Docker's default for these capabilities and this kernel.
func seccompProfile() (*specs.LinuxSeccomp, error) {
	with := &specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: capabilities}}}
	profile, err := seccomp.GetDefaultProfile(with)
	if err != nil {
		return nil, fmt.Errorf("make the filter of system calls: %w", err)
	}
	return profile, nil
}

// limits are what this machine and process can grant.
type limits struct {
	files     uint64 // open files of a process
	swap      bool   // swap can be limited
	arguments int    // bytes of a program's arguments and environment
}

func measure() limits {
	return limits{files: grantableFiles(), swap: swapLimited(), arguments: host.RoomForArguments()}
}

func grantableFiles() uint64 {
	var own unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &own) != nil || own.Max >= openFiles || mayRaiseLimits() {
		return openFiles
	}
	return own.Max
}

func mayRaiseLimits() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0
}

func swapLimited() bool {
	return cgroups.IsCgroup2UnifiedMode() || exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
