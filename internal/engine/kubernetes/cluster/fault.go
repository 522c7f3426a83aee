package cluster

import (
	"context"
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
	// What runs there has no time to say farewell, as it would when its connections are closed.
	if err := ip(context.Background(), machines[control], "link delete "+name); err != nil {
		return fmt.Errorf("cut off %s: %w", name, err)
	}
	return c.end(name, machines[name])
}

// Restart starts a node again that was lost, with what it has on its disk, and returns when it is ready.
func (c *Cluster) Restart(ctx context.Context, name string) error {
	for i := 1; i <= c.Nodes; i++ {
		if node(i) != name {
			continue
		}
		if err := c.forget(name, ""); err != nil {
			return err
		}
		if err := c.startNode(ctx, i, len(c.leashes) > 0); err != nil {
			return err
		}
		if err := c.startKubelet(i); err != nil {
			return err
		}
		return c.awaitNode(ctx, i)
	}
	return fmt.Errorf("the cluster has no node %s", name)
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
		if err := process.Signal(signal); err != nil || signal != os.Kill {
			return err
		}
		return c.awaitEnd(machine, program)
	}
	return fmt.Errorf("no %s runs on %s", program, machine)
}

// awaitEnd returns once it is noted that a program has ended: who starts it again takes that back.
func (c *Cluster) awaitEnd(machine, program string) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	return poll(ctx, "the end of "+program, func() error {
		text, err := os.ReadFile(filepath.Join(c.dir, machine, "ended"))
		if err == nil && !strings.Contains("\n"+string(text), "\n"+program+":") {
			err = fmt.Errorf("it runs")
		}
		return err
	})
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
