//go:build linux

package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Check says, in sentences for people, what keeps a store from working in dir, which must exist; nothing where all is
// there. It tries a mount and takes it away again.
func Check(dir string) []string {
	tmp, err := os.MkdirTemp(dir, "check-")
	if err != nil {
		return []string{fmt.Sprintf("Images cannot be unpacked: %v.", err)}
	}
	defer os.RemoveAll(tmp)
	o := overlay{
		lower: []string{filepath.Join(tmp, "lower")}, upper: filepath.Join(tmp, "upper"),
		work: filepath.Join(tmp, "work"), target: filepath.Join(tmp, "merged"),
	}
	err = makeDir(o.lower[0], 0o755)
	if err == nil {
		err = errors.Join(o.mount(), unmountAll(o.target))
	}
	if err == nil {
		return nil
	}
	if os.Geteuid() != 0 {
		return []string{fmt.Sprintf("Images cannot be mounted without root (CAP_SYS_ADMIN): %v.", err)}
	}
	return []string{fmt.Sprintf("Images cannot be mounted: the kernel has no overlayfs, or the file system of %s is none that it can write to; use a data directory on ext4 or xfs (%v).", dir, err)}
}
