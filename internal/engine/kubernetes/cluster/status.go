package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// State tells the machines that run with the memory of their programs, and what has ended by itself.
func (c *Cluster) State() (string, error) {
	machines, err := c.machines()
	if err != nil {
		return "", err
	}
	if len(machines) == 0 {
		return "nothing of it runs; down removes what is left", nil
	}
	var parts []string
	for name, pid := range machines {
		parts = append(parts, fmt.Sprintf("%s: %s", name, strings.Join(programs(pid), ", ")))
	}
	slices.Sort(parts)
	if ended := c.ended(); ended != "" {
		parts = append(parts, "ended: "+ended)
	}
	return strings.Join(parts, "; "), nil
}

// programs are those of a machine with what memory they hold.
func programs(pid int) []string {
	var all []string
	for _, child := range children(pid) {
		all = append(all, describe(strconv.Itoa(child)))
	}
	slices.Sort(all)
	return all
}

func describe(pid string) string {
	line, _ := os.ReadFile("/proc/" + pid + "/cmdline") // may have ended by now
	name, _, _ := strings.Cut(string(line), "\x00")
	status, _ := os.ReadFile("/proc/" + pid + "/status")
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			return fmt.Sprintf("%s %d MiB", filepath.Base(name), kib/1024)
		}
	}
	return filepath.Base(name)
}
