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

// leftNothing holds the machine against what it was. Others may use it meanwhile, so all that is looked for has the cluster's marks.
func (c *Cluster) leftNothing(t *testing.T, before string) {
	t.Helper()
	if after := machineState(t); after != before {
		t.Errorf("settings and directories of the machine were\n%s\nand are\n%s", before, after)
	}
	for what, text := range map[string]string{
		"process": processes(t), "mount": read(t, "/proc/mounts"), "interface": shell(t, "ip -o link"), "route": shell(t, "ip route"),
		"rule": shell(t, "nft list ruleset; iptables-save; ipset list -n"), "namespace": shell(t, "ip netns list"),
		"group": shell(t, "find /sys/fs/cgroup -maxdepth 2 -type d -printf '%p\\n'"),
	} {
		for line := range strings.Lines(text) {
			for _, mark := range []string{c.dir, c.group(), c.link(), c.address(0, 0)[:7] + ".", "KUBE-", "kube-proxy", machineName} {
				if strings.Contains(line, mark) {
					t.Errorf("a %s is left: %s", what, strings.TrimSpace(line))
				}
			}
		}
	}
}

// machineState is what a cluster could change without a mark of its own.
func machineState(t *testing.T) string {
	t.Helper()
	state := shell(t, "sysctl vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys "+
		"kernel.keys.root_maxbytes net.ipv4.ip_forward net.netfilter.nf_conntrack_max")
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
