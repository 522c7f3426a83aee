package registry

import (
	"context"
	"errors"
	"path"
	"strings"
)

// removeEmpty removes repositories that hold nothing, and directories that no
// repository is in.
func (c *collection) removeEmpty(ctx context.Context, found []*repositorySurvey) error {
	var all []error
	for _, s := range found {
		all = append(all, c.removeIfEmpty(ctx, s.name))
		for prefix := s.name; strings.Contains(prefix, "/"); {
			prefix = prefix[:strings.LastIndex(prefix, "/")]
			all = append(all, c.pushes.whenIdle(prefix, func() error {
				c.images.prune(ctx, repositoryDir(prefix))
				return nil
			}))
		}
	}
	return errors.Join(all...)
}

// removeIfEmpty looks twice: whoever wants to push waits for the second look.
func (c *collection) removeIfEmpty(ctx context.Context, repository string) error {
	if empty, err := c.isEmpty(ctx, repository); err != nil || !empty {
		return err
	}
	return c.pushes.whenIdle(repository, func() error {
		empty, err := c.isEmpty(ctx, repository)
		if err == nil && empty {
			_, err = c.images.bury(ctx, &c.grave, repositoryDir(repository))
		}
		return err
	})
}

// isEmpty looks for links of manifests and of blobs, and for uploads.
func (c *collection) isEmpty(ctx context.Context, repository string) (bool, error) {
	uploads, err := c.descend(ctx, uploadsDir(repository), 1)
	if err != nil || len(uploads) > 0 {
		return false, err
	}
	manifests, err := c.descend(ctx, revisionsDir(repository), 1)
	if err != nil {
		return false, err
	}
	layers, err := c.descend(ctx, layersDir(repository), 2)
	if err != nil {
		return false, err
	}
	for _, dir := range append(manifests, layers...) {
		if link, err := c.images.stat(ctx, path.Join(dir, "link")); link.there || err != nil {
			return false, err
		}
	}
	return true, nil
}
