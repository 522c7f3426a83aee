//go:build linux

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"
)

const cgroupRoot = "/sys/fs/cgroup"

// cgroupDirs are the directories of a container's cgroup that exist: one in version 2, one per controller in version 1.
// The empty id stands for the parent of all.
func (r *Runtime) cgroupDirs(id string) []string {
	pattern := filepath.Join(cgroupRoot, "*", r.cgroup(id))
	if cgroups.IsCgroup2UnifiedMode() {
		pattern = filepath.Join(cgroupRoot, r.cgroup(id))
	}
	dirs, err := filepath.Glob(pattern)
	if err != nil {
		return nil // the pattern is well formed: the id was checked
	}
	return dirs
}

// killCgroup kills every process in the container's cgroup and waits until none is left.
func (r *Runtime) killCgroup(ctx context.Context, id string) error {
	for {
		left := 0
		for _, dir := range r.cgroupDirs(id) {
			pids, err := cgroups.GetAllPids(dir)
			if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
				return fmt.Errorf("list processes of container %s: %w", id, err)
			}
			for _, pid := range pids {
				_ = unix.Kill(pid, unix.SIGKILL)
				left++
			}
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kill container %s: %d processes are left: %w", id, left, ctx.Err())
		case <-time.After(lookAgain):
		}
	}
}

func (r *Runtime) removeCgroup(id string) error {
	var errs []error
	for _, dir := range r.cgroupDirs(id) {
		if err := cgroups.RemovePath(dir); err != nil {
			errs = append(errs, fmt.Errorf("remove cgroup: %w", err))
		}
	}
	return errors.Join(errs...)
}

// removeParents removes the directories that all containers' cgroups were in. One that is not empty belongs to somebody,
// and one that cannot be removed is in nobody's way.
func (r *Runtime) removeParents() {
	for _, dir := range r.cgroupDirs("") {
		err := unix.Rmdir(dir)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			r.cfg.Logger.Debug("a cgroup of no container is left", "dir", dir, "err", err)
		}
	}
}
