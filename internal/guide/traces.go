package guide

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// traces are what a server that used the directory has left on this machine: processes, mounts, cgroups, interfaces
// and packet filters. The names of most begin with the instance, which the directory knows.
func traces(data, programs string) []string {
	id, err := os.ReadFile(filepath.Join(data, "instance"))
	if err != nil {
		return nil // no server ever came so far
	}
	instance := strings.TrimSpace(string(id))
	left := append(mounts(data), processes(filepath.Join(data, "engine"), programs)...)
	left = append(left, cgroups("setops-"+instance)...)
	left = append(left, interfaces("so"+instance[:6])...)
	return append(left, filters("setops-"+instance)...)
}

func mounts(dir string) (left []string) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return []string{fmt.Sprintf("mounts cannot be read: %v", err)}
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			left = append(left, "mount "+fields[4])
		}
	}
	return left
}

// processes are shims, and with each its container. A server that carries the shim has unpacked it in its directory.
func processes(dirs ...string) (left []string) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		isIn := func(dir string) bool { return strings.HasPrefix(target, dir+"/") }
		if err == nil && filepath.Base(target) == "setops-shim" && slices.ContainsFunc(dirs, isIn) {
			left = append(left, "process "+filepath.Base(filepath.Dir(link)))
		}
	}
	return left
}

func cgroups(name string) (left []string) {
	for _, pattern := range []string{"/sys/fs/cgroup/" + name, "/sys/fs/cgroup/*/" + name} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			panic(err) // there is no pattern in a name
		}
		for _, path := range found {
			left = append(left, "cgroup "+path)
		}
	}
	return left
}

func interfaces(prefix string) (left []string) {
	all, err := net.Interfaces()
	if err != nil {
		return []string{fmt.Sprintf("network interfaces cannot be read: %v", err)}
	}
	for _, i := range all {
		if strings.HasPrefix(i.Name, prefix) {
			left = append(left, "network interface "+i.Name)
		}
	}
	return left
}

// filters needs the program nft, which the demo can do without.
func filters(name string) (left []string) {
	out, err := exec.Command("nft", "list", "tables").Output()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, name) {
			left = append(left, "packet filter "+strings.TrimSpace(line))
		}
	}
	return left
}
