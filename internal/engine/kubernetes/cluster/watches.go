package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// watchers is a limit of the kernel for each user: how many programs, and parts of one, may watch files. A kubelet needs six and one
// for each log that is followed; where clusters are beside each other the kernel's 128 are too few.
var watchers = limit{setting: "/proc/sys/fs/inotify/max_user_instances", least: 1024}

// limit is raised while there are clusters.
type limit struct {
	setting string
	least   int
}

// before is the file below a directory that has what the limit was.
const before = "before"

// raise raises a limit that is too low, and notes in dir what it was. Who may not change it goes on with it as it is.
func (l limit) raise(dir string) error {
	return locked(dir, func() error {
		now, err := l.read()
		if err != nil || now >= l.least {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, before), []byte(strconv.Itoa(now)), 0o644); err != nil {
			return err
		}
		return l.write(l.least)
	})
}

// restore makes it what it was, unless dir has anything else in it.
func (l limit) restore(dir string) error {
	return locked(dir, func() error {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || entries[0].Name() != before {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, before))
		if err != nil {
			return err
		}
		was, err := strconv.Atoi(string(text))
		if err != nil {
			return fmt.Errorf("read what %s was: %w", l.setting, err)
		}
		return errors.Join(l.write(was), os.Remove(filepath.Join(dir, before)))
	})
}

func (l limit) read() (int, error) {
	text, err := os.ReadFile(l.setting)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

func (l limit) write(n int) error {
	err := os.WriteFile(l.setting, []byte(strconv.Itoa(n)), 0o644)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		return nil
	}
	return err
}

// locked keeps other processes out that use the same directory, which may be gone.
func locked(dir string, f func() error) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	return f()
}
