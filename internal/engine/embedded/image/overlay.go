//go:build linux

package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// overlay is one mount of overlayfs. The lower directories are given topmost first.
type overlay struct {
	lower               []string
	upper, work, target string
}

// Features that some kernels switch on by themselves would tie layers to the combination they were first used in; sync
// is left to the store, see flusher. What is on the upper directory need not survive the machine.
var overlayOptions = [][2]string{{"index", "off"}, {"metacopy", "off"}, {"redirect_dir", "off"}}

// maxConfigString is what one string of fsconfig may have, its final zero included.
const maxConfigString = 256

// mount makes the directories that are missing and mounts. The new mount interface has no limit on the number of
// layers; kernels before 6.8 cannot take layers one by one and get a classic mount with short paths.
func (o overlay) mount() error {
	for _, d := range []string{o.upper, o.work, o.target} {
		if err := makeDir(d, 0o755); err != nil {
			return err
		}
	}
	err := o.mountByConfig()
	if err == nil || errors.Is(err, unix.ENOSPC) {
		return wrapMount(o.target, err)
	}
	if err := o.mountByOptions(true); err == nil {
		return nil
	}
	return wrapMount(o.target, o.mountByOptions(false))
}

func wrapMount(target string, err error) error {
	if err != nil {
		return fmt.Errorf("mount overlay %s: %w", target, err)
	}
	return nil
}

func (o overlay) mountByConfig() error {
	fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fs)
	options := append([][2]string{{"source", "overlay"}}, overlayOptions...)
	for _, l := range o.lower {
		options = append(options, [2]string{"lowerdir+", l})
	}
	options = append(options, [2]string{"upperdir", o.upper}, [2]string{"workdir", o.work})
	for _, opt := range options {
		if len(opt[1]) >= maxConfigString {
			return unix.ENAMETOOLONG
		}
		if err := unix.FsconfigSetString(fs, opt[0], opt[1]); err != nil {
			return err
		}
	}
	if err := unix.FsconfigSetFlag(fs, "volatile"); err != nil {
		return err
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return err
	}
	m, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(m)
	return unix.MoveMount(m, "", unix.AT_FDCWD, o.target, unix.MOVE_MOUNT_F_EMPTY_PATH)
}

// mountByOptions mounts with one string of options, which may take a page. Links with short names stand for the
// directories while it mounts, relative to a working directory that only this thread has.
func (o overlay) mountByOptions(volatile bool) error {
	dir, err := os.MkdirTemp(filepath.Dir(o.work), "l-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	short := make([]string, len(o.lower))
	for n, l := range o.lower {
		short[n] = strconv.FormatInt(int64(n), 36)
		if err := os.Symlink(l, filepath.Join(dir, short[n])); err != nil {
			return err
		}
	}
	for name, d := range map[string]string{"up": o.upper, "wk": o.work} {
		if err := os.Symlink(d, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	options := "lowerdir=" + strings.Join(short, ":") + ",upperdir=up,workdir=wk"
	for _, opt := range overlayOptions {
		options += "," + opt[0] + "=" + opt[1]
	}
	if volatile {
		options += ",volatile"
	}
	return inDir(dir, func() error { return unix.Mount("overlay", o.target, "overlay", 0, options) })
}

// inDir calls f with dir as the working directory of f alone. The thread ends with the goroutine: it is never unlocked.
func inDir(dir string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			done <- err
			return
		}
		if err := unix.Chdir(dir); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}
