package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// RemoveRepository forgets all that an app's repository holds, so that a new
// one of the same name starts empty. Pushes to it that are under way are
// stopped. Blobs stay until Collect, as other repositories may link them. Removing
// what is not there is no error. The app must be gone for Authorizer before,
// or the next push makes the repository anew.
func (r *Registry) RemoveRepository(ctx context.Context, repository string) error {
	if _, err := parseName(repository, 4, 4); err != nil {
		return err
	}
	return r.remove(ctx, repository)
}

// RemovePrefix does the same for every repository below ORGANIZATION/PROJECT
// or ORGANIZATION/PROJECT/STAGE.
func (r *Registry) RemovePrefix(ctx context.Context, prefix string) error {
	if _, err := parseName(prefix, 2, 3); err != nil {
		return err
	}
	return r.remove(ctx, prefix)
}

// remove renames first, so that what is half removed is never seen, and a
// crash leaves only garbage that the purger takes away.
func (r *Registry) remove(ctx context.Context, prefix string) error {
	if err := r.pushes.holdOff(ctx, prefix); err != nil {
		return err
	}
	defer r.pushes.resume(prefix)
	if err := os.MkdirAll(r.trashDir(), 0o700); err != nil {
		return fmt.Errorf("remove repository %s: %w", prefix, err)
	}
	grave, err := os.MkdirTemp(r.trashDir(), "")
	if err != nil {
		return fmt.Errorf("remove repository %s: %w", prefix, err)
	}
	err = os.Rename(filepath.Join(r.repositoriesDir(), filepath.FromSlash(prefix)), filepath.Join(grave, "links"))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err := errors.Join(err, os.RemoveAll(grave)); err != nil {
		return fmt.Errorf("remove repository %s: %w", prefix, err)
	}
	return nil
}

func (r *Registry) trashDir() string { return filepath.Join(r.config.Dir, "removed") }
