package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// endTime is what the kernel may take to end all processes of a machine.
const endTime = time.Minute

// Down ends a cluster and removes all that there was of it. It is for what was killed half-way too, and may be called again.
func (c *Cluster) Down() error {
	for _, leash := range c.leashes {
		_ = leash.Close()
	}
	machines, err := c.machines()
	if err != nil {
		return err
	}
	for name, pid := range machines {
		if err := c.end(name, pid); err != nil {
			return err
		}
	}
	c.started.Wait()
	// With the namespaces the interface goes too, but some time later.
	_ = exec.Command("ip", "link", "delete", c.link()).Run()
	if err := removeGroups(c.group()); err != nil {
		return err
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("remove the files of the cluster: %w", err)
	}
	if err := watchers.restore(base()); err != nil {
		return fmt.Errorf("restore a limit of the kernel: %w", err)
	}
	_ = os.Remove(base()) // is refused while there are others
	return nil
}

// end kills a machine and waits until the kernel has ended all of it.
func (c *Cluster) end(name string, pid int) error {
	handle, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("end %s: %w", name, err)
	}
	defer unix.Close(handle)
	// The number may have become another's before there was a handle.
	if c.machineOf(pid) == name {
		if err := unix.PidfdSendSignal(handle, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("end %s: %w", name, err)
		}
	}
	deadline := time.Now().Add(endTime)
	for {
		fds := []unix.PollFd{{Fd: int32(handle), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 1000)
		switch {
		case n > 0:
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("wait for the end of %s: %w", name, err)
		case time.Now().After(deadline):
			return fmt.Errorf("%s, process %d, has not ended within %s", name, pid, endTime)
		}
	}
}

// removeGroups removes the control groups of a cluster in every hierarchy. Nobody is in them any more, which the kernel may see late.
func removeGroups(group string) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	for _, top := range hierarchies() {
		root := filepath.Join(top, group)
		err := poll(ctx, "the removal of "+root, func() error { return removeTree(root) })
		if err != nil {
			return err
		}
	}
	return nil
}

// removeTree removes directories, deepest first. The files of control groups go with them.
func removeTree(root string) error {
	var dirs []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, name)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for i := len(dirs) - 1; i >= 0; i-- {
		if err := os.Remove(dirs[i]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
