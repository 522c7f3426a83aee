//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine describes where and when the figures were taken.
type machine struct {
	when, cpu, kernel, memory string
	docker                    string
	loadBefore, loadAfter     string
}

func describe(ctx context.Context) machine {
	m := machine{when: time.Now().UTC().Format("2006-01-02 15:04 UTC"), loadBefore: loadAverage()}
	m.cpu = fmt.Sprintf("%d × %s", runtime.NumCPU(), field("/proc/cpuinfo", "model name"))
	m.memory = field("/proc/meminfo", "MemTotal")
	m.kernel = strings.TrimSpace(read("/proc/sys/kernel/osrelease")) + ", " + cgroups()
	out, err := exec.CommandContext(ctx, "docker", "--version").Output()
	m.docker = first(strings.TrimSpace(string(out)), fmt.Sprint(err))
	return m
}

func (m *machine) end() { m.loadAfter = loadAverage() }

func (m *machine) lines() []string {
	return []string{
		m.when,
		"CPU: " + m.cpu + ", memory: " + m.memory,
		"Linux " + m.kernel + ", " + runtime.Version(),
		"Peer: " + m.docker,
		fmt.Sprintf("Load average before %s, after %s: more than 1 before the run means that others used the machine", m.loadBefore, m.loadAfter),
	}
}

func (m *machine) text() string { return bullets(m.lines()) }

func loadAverage() string {
	averages := strings.Fields(read("/proc/loadavg"))
	return strings.Join(averages[:min(3, len(averages))], " ")
}

func cgroups() string {
	var fs unix.Statfs_t
	if unix.Statfs("/sys/fs/cgroup", &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
		return "cgroup v2"
	}
	return "cgroup v1"
}

func read(path string) string {
	text, _ := os.ReadFile(path) // a description may lack a word, it must not stop a measurement
	return string(text)
}

// field gives what stands behind "name:" in a file of /proc.
func field(path, name string) string {
	for line := range strings.Lines(read(path)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
