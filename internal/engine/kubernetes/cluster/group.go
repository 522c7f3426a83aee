package cluster

import (
	"fmt"
	"os"
	"path/filepath"
)

const groups = "/sys/fs/cgroup"

// hierarchies are the roots of all control groups: one in version 2, one for each controller in version 1.
func hierarchies() []string {
	if _, err := os.Stat(filepath.Join(groups, "cgroup.controllers")); err == nil {
		return []string{groups}
	}
	found, _ := filepath.Glob(filepath.Join(groups, "*", "cgroup.procs")) // fails for a bad pattern only
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

// makeGroup makes the control group of a node, which its kubelet takes for the root of all.
func (c *Cluster) makeGroup(node string) error {
	for _, top := range hierarchies() {
		for _, group := range []string{c.group(), filepath.Join(c.group(), node)} {
			if err := os.MkdirAll(filepath.Join(top, group), 0o755); err != nil {
				return fmt.Errorf("make the control group of %s: %w", node, err)
			}
			if err := inherit(filepath.Join(top, group)); err != nil {
				return err
			}
		}
	}
	return nil
}

// inherit gives a group of version 1 the processors and memory of its parent; it has none by itself.
func inherit(group string) error {
	if filepath.Base(groups) == filepath.Base(filepath.Dir(group)) {
		return nil
	}
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(filepath.Dir(group), name))
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(group, name), value, 0o644)
		}
		if err != nil {
			return fmt.Errorf("give the group %s processors: %w", group, err)
		}
	}
	return nil
}
