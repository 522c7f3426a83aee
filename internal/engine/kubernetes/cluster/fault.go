package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Lose ends a node as a power cut does.
func (c *Cluster) Lose(name string) error {
	machines, err := c.machines()
	if err != nil {
		return err
	}
	if machines[name] == 0 {
		return fmt.Errorf("no machine %s runs", name)
	}
	return c.end(name, machines[name])
}

// Signal sends a signal to a program: "control", "kube-apiserver". One that is killed is not started again.
func (c *Cluster) Signal(machine, program string, signal os.Signal) error {
	machines, err := c.machines()
	if err != nil {
		return err
	}
	for _, pid := range children(machines[machine]) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // may have ended by now
		name, _, _ := strings.Cut(string(line), "\x00")
		if filepath.Base(name) != program {
			continue
		}
		process, err := os.FindProcess(pid)
		if err != nil {
			return err
		}
		return process.Signal(signal)
	}
	return fmt.Errorf("no %s runs on %s", program, machine)
}

// children are the programs of a machine, by the process that started them.
func children(pid int) []int {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // fails for a bad pattern only
	var all []int
	for _, file := range files {
		text, _ := os.ReadFile(file) // a thread may have ended by now
		for _, child := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(child); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}
