package registry

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// removeEmpty removes repositories that hold nothing, and directories that no
// repository is in.
func (c *collection) removeEmpty(found []*repositorySurvey) error {
	var all []error
	for _, s := range found {
		all = append(all, c.pushes.whenIdle(s.name, func() error {
			empty, err := c.isEmpty(s.name)
			if err == nil && empty {
				_, err = c.grave.bury(c.trashDir(), c.repositoryDir(s.name))
			}
			return err
		}))
		for prefix := s.name; strings.Contains(prefix, "/"); {
			prefix = prefix[:strings.LastIndex(prefix, "/")]
			all = append(all, c.pushes.whenIdle(prefix, func() error {
				_ = os.Remove(c.repositoryDir(prefix)) // which it does where there is nothing in it
				return nil
			}))
		}
	}
	return errors.Join(all...)
}

// isEmpty looks for links of manifests and of blobs, and for uploads.
func (c *collection) isEmpty(repository string) (bool, error) {
	uploads, err := descend(filepath.Join(c.repositoryDir(repository), "_uploads"), 1)
	if err != nil || len(uploads) > 0 {
		return false, err
	}
	manifests, err := descend(c.revisionsDir(repository), 1)
	if err != nil {
		return false, err
	}
	layers, err := descend(c.layersDir(repository), 2)
	if err != nil {
		return false, err
	}
	for _, dir := range append(manifests, layers...) {
		if _, err := os.Stat(filepath.Join(dir, "link")); err == nil || unlessGone(err) != nil {
			return false, unlessGone(err)
		}
	}
	return true, nil
}
