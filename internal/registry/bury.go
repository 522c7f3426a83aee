package registry

import (
	"context"
	"path"

	"github.com/opencontainers/go-digest"
)

// removeManifest takes the tags away first: a tag must not lead nowhere.
func (c *collection) removeManifest(ctx context.Context, s *repositorySurvey, m *manifest) (bool, error) {
	c.sweep.Lock()
	defer c.sweep.Unlock()
	old, err := c.isOld(ctx, revisionLink(m.Reference))
	if err != nil || !old || !c.condemned.holds(m.Reference) {
		c.condemned.pardon(m.Reference)
		return false, err
	}
	d := digest.Digest(m.Digest)
	for _, tag := range s.tags[d] {
		now, err := c.readLink(ctx, tagLink(s.name, tag))
		if err == nil && now == d {
			_, err = c.images.bury(ctx, &c.grave, path.Join(tagsDir(s.name), tag))
		}
		if err != nil {
			return false, err
		}
	}
	for _, tag := range s.history[d] {
		past := path.Join(tagsDir(s.name), tag, "index", string(digest.SHA256), d.Encoded())
		if _, err := c.images.bury(ctx, &c.grave, past); err != nil {
			return false, err
		}
	}
	place, err := c.images.bury(ctx, &c.grave, path.Dir(revisionLink(m.Reference)))
	return place != "", err
}

// isOld reports false for what is gone.
func (c *collection) isOld(ctx context.Context, file string) (bool, error) {
	found, err := c.images.stat(ctx, file)
	return found.isOld(c.Before), err
}

// buryOld buries a directory if look, which tells what counts for it, still
// finds it old. It gives the place; in a dry run the directory itself, and
// empty where it stays.
func (c *collection) buryOld(ctx context.Context, dir string, look func() (stored, error)) (string, error) {
	c.sweep.Lock()
	defer c.sweep.Unlock()
	found, err := look()
	if err != nil || !found.isOld(c.Before) {
		return "", err
	}
	if c.DryRun {
		return dir, nil
	}
	return c.images.bury(ctx, &c.grave, dir)
}
