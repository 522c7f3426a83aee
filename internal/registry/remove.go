package registry

import (
	"context"
	"errors"
	"fmt"
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

// remove buries first, so that what is half removed is never seen where that
// can be had. On S3 it can be, but by nobody who pulls: the app is gone, and
// whoever removes begins again after a crash.
func (r *Registry) remove(ctx context.Context, prefix string) error {
	if err := r.pushes.holdOff(ctx, prefix); err != nil {
		return err
	}
	defer r.pushes.resume(prefix)
	var g grave
	_, err := r.images.bury(ctx, &g, repositoryDir(prefix))
	if err := errors.Join(err, r.images.close(ctx, &g)); err != nil {
		return fmt.Errorf("remove repository %s: %w", prefix, err)
	}
	return nil
}
