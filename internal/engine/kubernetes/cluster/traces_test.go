//go:build cluster

package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// traces are what a cluster could leave behind, as it was before and while it ran.
type traces struct {
	settings   string
	namespaces map[string]string // of processes, and which machine's each was
}

// see is called while a cluster runs. It holds the machines' PID namespaces, so that nobody else is given their numbers.
func (b *traces) see(t *testing.T, c *Cluster) {
	t.Helper()
	machines, err := c.machines()
	must(t, err)
	if len(machines) == 0 {
		t.Fatal("no machine of the cluster runs")
	}
	b.namespaces = map[string]string{}
	for name, pid := range machines {
		link := fmt.Sprintf("/proc/%d/ns/pid", pid)
		held, err := os.Open(link)
		must(t, err)
		t.Cleanup(func() { _ = held.Close() })
		number, err := os.Readlink(link)
		must(t, err)
		b.namespaces[number] = name
	}
}

// leftNothing holds the machine against what it was. Others may have clusters meanwhile, so all that is looked for has the cluster's marks.
func (c *Cluster) leftNothing(t *testing.T, before traces) {
	t.Helper()
	if after := machineState(t); after != before.settings {
		t.Errorf("settings and directories of the machine were\n%s\nand are\n%s", before.settings, after)
	}
	before.noneLives(t)
	for what, text := range map[string]string{
		"process": processes(t), "mount": read(t, "/proc/mounts"), "interface": shell(t, "ip -o link"), "route": shell(t, "ip route"),
		"rule": shell(t, "nft list ruleset; iptables-save; ipset list -n"), "namespace": shell(t, "ip netns list"),
		"group": shell(t, "find /sys/fs/cgroup -maxdepth 2 -type d -printf '%p\\n'"),
	} {
		for line := range strings.Lines(text) {
			for _, mark := range []string{c.dir + "/", c.dir + " ", c.group() + "\n", c.group() + "/", c.link() + ":", c.network()[:7] + "."} {
				if strings.Contains(line, mark) {
					t.Errorf("a %s is left: %s", what, strings.TrimSpace(line))
				}
			}
		}
	}
}

// noneLives looks for processes in the PID namespaces that the machines had, which is where all their programs ran.
func (b *traces) noneLives(t *testing.T) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/ns/pid")
	must(t, err)
	for _, link := range links {
		number, err := os.Readlink(link)
		if err != nil {
			continue // has ended since
		}
		if machine, found := b.namespaces[number]; found {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(link)), "cmdline"))
			if len(line) == 0 {
				continue // has ended, and the host's first process has yet to collect it
			}
			t.Errorf("a process of %s is left: %s", machine, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
}

// machineState is what a cluster could change without a mark of its own.
func machineState(t *testing.T) string {
	t.Helper()
	state := shell(t, "sysctl vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys "+
		"kernel.keys.root_maxbytes net.ipv4.ip_forward net.netfilter.nf_conntrack_max")
	state += "rules of Kubernetes: " + shell(t, "(nft list ruleset; iptables-save; ipset list -n) | grep -cE 'KUBE-|kube-' || true")
	for _, dir := range []string{
		"/var/lib/kubelet", "/var/lib/cni", "/var/lib/etcd", "/var/log/pods", "/var/log/containers", "/usr/libexec/kubernetes", "/etc/cni/net.d",
	} {
		_, err := os.Stat(dir)
		state += fmt.Sprintf("%s is there: %v\n", dir, err == nil)
	}
	return state
}

func processes(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	var all []string
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // has ended since
		}
		groups, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cgroup"))
		all = append(all, strings.ReplaceAll(string(line), "\x00", " ")+strings.ReplaceAll(string(groups), "\n", " "))
	}
	return strings.Join(all, "\n")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	return string(text)
}

func shell(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", script).Output()
	must(t, err)
	return string(out)
}
