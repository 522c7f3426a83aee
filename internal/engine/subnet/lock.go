//go:build linux

package subnet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Exclusively calls f while no other server on this machine is in here: from looking at what is taken until the kernel has
// the new network, so that no two choose the same. It waits half a minute for its turn at most, and no longer than ctx; the
// error of f is handed on as it is. It is not for calls from within f.
func Exclusively(ctx context.Context, f func() error) error {
	return turnstile{dirs: []string{"/run", os.TempDir()}, patience: 30 * time.Second}.pass(ctx, f)
}

// lockName is one for all versions of all servers. The file is empty and stays.
const lockName = "setops-subnets.lock"

// knockAgain is how often the lock is tried. The kernel would wait by itself, but not for a context.
const knockAgain = 5 * time.Millisecond

// turnstile is a lock that processes share by a file.
type turnstile struct {
	dirs     []string // the first that lets us have a file; in /run it is root's alone, and no other user can hold us up
	patience time.Duration
}

func (l turnstile) pass(ctx context.Context, f func() error) error {
	file, err := l.open()
	if err != nil {
		return fmt.Errorf("open lock of networks: %w", err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	if err := l.take(ctx, file); err != nil {
		return fmt.Errorf("wait to make a network: %w", err)
	}
	// Not left to Close: a program that is being started just now may have the file open for a moment longer.
	defer unix.Flock(int(file.Fd()), unix.LOCK_UN) //nolint:errcheck // closing the file does the same a little later
	return f()
}

func (l turnstile) open() (file *os.File, err error) {
	for _, dir := range l.dirs {
		file, err = os.OpenFile(filepath.Join(dir, lockName), os.O_RDONLY|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
		if err == nil || !unusable(err) {
			break
		}
	}
	return file, err
}

func unusable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EROFS)
}

func (l turnstile) take(ctx context.Context, file *os.File) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.patience,
		fmt.Errorf("another server on this machine has held the lock %s for %s", file.Name(), l.patience))
	defer cancel()
	again := time.NewTicker(knockAgain)
	defer again.Stop()
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
