package registry

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
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
// A disk that has no room for that either is to get some all the same.
func (g *grave) bury(trash, dir string) (string, error) {
	place, err := g.move(trash, dir)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return dir, os.RemoveAll(dir)
	}
	return place, err
}

func (g *grave) move(trash, dir string) (string, error) {
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
