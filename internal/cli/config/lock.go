package config

import (
	"context"
	"fmt"
	"time"

	"github.com/gofrs/flock"
)

// How long another process is waited for that holds the user's file, and how often it is looked for.
const (
	lockPatience = 40 * time.Second
	lockPause    = 20 * time.Millisecond
)

// Locked does something while no other process of the user changes the file's session. The lock is a file beside it, as the
// file itself is replaced by each change.
func Locked(ctx context.Context, path string, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, lockPause); err != nil {
		return &LockError{fmt.Errorf("lock %s: %w", path, err)}
	}
	defer func() { _ = lock.Close() }() // it unlocks; the kernel would, too
	return do()
}

// LockError says that a file could not be locked, so that nothing was done.
type LockError struct{ error }

// Unwrap gives the cause.
func (e *LockError) Unwrap() error { return e.error }
