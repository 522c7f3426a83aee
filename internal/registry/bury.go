package registry

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// grave takes what is removed out of sight in one step, before it is deleted.
// A crash leaves it to the purger.
type grave struct {
	dir   string // empty: nothing was buried
	count int
}

// bury moves a directory away and gives its new place; empty where it is gone.
func (g *grave) bury(trash, dir string) (string, error) {
	if g.dir == "" {
		if err := os.MkdirAll(trash, 0o700); err != nil {
			return "", err
		}
		made, err := os.MkdirTemp(trash, "")
		if err != nil {
			return "", err
		}
		g.dir = made
	}
	g.count++
	place := filepath.Join(g.dir, strconv.Itoa(g.count))
	if err := os.Rename(dir, place); err != nil {
		return "", unlessGone(err)
	}
	return place, nil
}

func (g *grave) close() error {
	if g.dir == "" {
		return nil
	}
	return os.RemoveAll(g.dir)
}

// removeManifest takes the tags away first: a tag must not lead nowhere.
func (c *collection) removeManifest(s *repositorySurvey, m *manifest) (bool, error) {
	c.sweep.Lock()
	defer c.sweep.Unlock()
	old, err := isOld(c.revisionLink(m.Reference), c.Before)
	if err != nil || !old || !c.condemned.holds(m.Reference) {
		c.condemned.pardon(m.Reference)
		return false, err
	}
	d := digest.Digest(m.Digest)
	for _, tag := range s.tags[d] {
		now, err := readLink(c.tagLink(s.name, tag))
		if err == nil && now == d {
			_, err = c.grave.bury(c.trashDir(), filepath.Join(c.tagsDir(s.name), tag))
		}
		if err != nil {
			return false, err
		}
	}
	for _, tag := range s.history[d] {
		past := filepath.Join(c.tagsDir(s.name), tag, "index", string(digest.SHA256), d.Encoded())
		if _, err := c.grave.bury(c.trashDir(), past); err != nil {
			return false, err
		}
	}
	place, err := c.grave.bury(c.trashDir(), filepath.Dir(c.revisionLink(m.Reference)))
	return place != "", err
}

// isOld reports false for what is gone.
func isOld(path string, before time.Time) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, unlessGone(err)
	}
	return info.ModTime().Before(before), nil
}

// removeBlobs removes the links that no manifest of their repository needs,
// then the blobs to which nothing leads any more.
func (c *collection) removeBlobs(ctx context.Context, found []*repositorySurvey) error {
	needed := map[digest.Digest]bool{}
	for _, s := range found {
		referred := map[digest.Digest]bool{}
		for d, m := range s.manifests {
			needed[d] = true
			for _, below := range m.refers {
				referred[below], needed[below] = true, true
			}
		}
		for _, l := range s.links {
			gone, err := c.removeLink(l, referred)
			if err != nil {
				return err
			}
			if !gone {
				needed[l.digest], needed[l.target] = true, true
			}
		}
	}
	return c.removeUnneeded(ctx, needed)
}

func (c *collection) removeLink(l blobLink, referred map[digest.Digest]bool) (bool, error) {
	if referred[l.digest] || referred[l.target] {
		return false, nil
	}
	place, err := c.buryOld(filepath.Dir(l.path), l.path)
	return place != "", err
}

func (c *collection) removeUnneeded(ctx context.Context, needed map[digest.Digest]bool) error {
	dirs, err := descend(c.blobsDir(), 3)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := ctx.Err(); err != nil {
			return err
		}
		// The directory in between has the first two digits.
		algorithm := filepath.Base(filepath.Dir(filepath.Dir(dir)))
		if needed[digest.NewDigestFromEncoded(digest.Algorithm(algorithm), filepath.Base(dir))] {
			continue
		}
		if err := c.removeBlob(dir); err != nil {
			return err
		}
	}
	return nil
}

// removeBlob also removes what a crash left of a blob that was being written.
func (c *collection) removeBlob(dir string) error {
	mark := filepath.Join(dir, "data")
	info, err := os.Stat(mark)
	if err != nil {
		if err := unlessGone(err); err != nil {
			return err
		}
		mark = dir
	}
	place, err := c.buryOld(dir, mark)
	if err != nil || place == "" {
		return err
	}
	if mark != dir {
		c.collected.Blobs++
		c.collected.Bytes += info.Size()
	}
	if c.DryRun {
		return nil
	}
	return os.RemoveAll(place)
}

// buryOld buries a directory if mark, whose time counts for it, is still old.
// It gives the place; in a dry run the directory itself, and empty where it
// stays.
func (c *collection) buryOld(dir, mark string) (string, error) {
	c.sweep.Lock()
	defer c.sweep.Unlock()
	old, err := isOld(mark, c.Before)
	if err != nil || !old {
		return "", err
	}
	if c.DryRun {
		return dir, nil
	}
	return c.grave.bury(c.trashDir(), dir)
}

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
