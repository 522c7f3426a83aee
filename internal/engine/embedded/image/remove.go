//go:build linux

package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/setopsco/setops/internal/engine"
)

// RemoveRepository forgets the images of the repository of that name and of all below it (ORG/PROJECT/STAGE), save those
// that, as they were prepared, are inUse; nil: none is. Layers are deleted that no image and no mount needs any
// more, whosever they were.
func (s *Store) RemoveRepository(ctx context.Context, prefix string, inUse func(engine.Image) bool) error {
	err := s.remove(ctx, func(r *record) bool {
		inside := r.Repository == prefix || strings.HasPrefix(r.Repository, prefix+"/")
		return !inside || r.isUsed(inUse)
	})
	if err != nil {
		return fmt.Errorf("remove images of %s: %w", prefix, err)
	}
	return nil
}

// RemoveImage forgets one image in the same way.
func (s *Store) RemoveImage(ctx context.Context, i engine.Image, inUse func(engine.Image) bool) error {
	err := s.remove(ctx, func(r *record) bool {
		return r.Repository != i.Repository || r.Digest != i.Digest || r.isUsed(inUse)
	})
	if err != nil {
		return fmt.Errorf("remove image %s@%s: %w", i.Repository, i.Digest, err)
	}
	return nil
}

// isUsed asks for an image by both of its digests: that of its manifest, and that of an index, where it was prepared by one.
func (r *record) isUsed(inUse func(engine.Image) bool) bool {
	return inUse != nil && (inUse(engine.Image{Repository: r.Repository, Digest: r.Digest}) ||
		inUse(engine.Image{Repository: r.Repository, Digest: r.Manifest}))
}

func (s *Store) remove(ctx context.Context, keep func(*record) bool) error {
	unused, err := s.forget(keep)
	if err != nil {
		return err
	}
	// The layers are out of reach by now; only disk space waits for this.
	for _, dir := range unused {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// forget removes records and moves layers aside, in one step as others see it. It gives the directories to delete.
func (s *Store) forget(keep func(*record) bool) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	needed, err := s.keepRecords(keep)
	if err != nil {
		return nil, err
	}
	if err := s.addMounted(needed); err != nil {
		return nil, err
	}
	for chain := range s.pins {
		needed[chain] = true
	}
	return s.setAside(needed)
}

// keepRecords deletes the records that keep does not want, and gives the layers of the others.
func (s *Store) keepRecords(keep func(*record) bool) (needed map[string]bool, err error) {
	files, err := os.ReadDir(s.imagesDir())
	if err != nil {
		return nil, err
	}
	needed = map[string]bool{}
	for _, f := range files {
		var r record
		path := filepath.Join(s.imagesDir(), f.Name())
		if readJSON(path, &r) == nil && keep(&r) {
			for _, chain := range r.Layers {
				needed[chain] = true
			}
			continue
		}
		delete(s.records, strings.TrimSuffix(f.Name(), ".json"))
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return needed, nil
}

// addMounted adds the layers of mounts. A mount whose record cannot be read would lose its files: then nothing is removed.
func (s *Store) addMounted(needed map[string]bool) error {
	mounts, err := os.ReadDir(s.mountsDir())
	if err != nil {
		return err
	}
	for _, e := range mounts {
		var m mountRecord
		dir := filepath.Join(s.mountsDir(), e.Name())
		err := readJSON(filepath.Join(dir, "mount.json"), &m)
		if err != nil && isMount(filepath.Join(dir, "rootfs")) {
			return err
		}
		for _, chain := range m.Layers {
			needed[chain] = true
		}
	}
	return nil
}

func (s *Store) setAside(needed map[string]bool) (aside []string, err error) {
	layers, err := os.ReadDir(s.layersDir())
	if err != nil {
		return nil, err
	}
	for _, l := range layers {
		if needed[l.Name()] {
			continue
		}
		dir, err := s.moveToTmp(l.Name())
		if err != nil {
			return aside, err
		}
		aside = append(aside, dir)
	}
	return aside, nil
}

func (s *Store) moveToTmp(chainID string) (string, error) {
	dir, err := os.MkdirTemp(s.tmpDir(), "gone-")
	if err != nil {
		return "", err
	}
	return dir, os.Rename(s.layerDir(chainID), filepath.Join(dir, "layer"))
}

// discardLayer deletes a layer that nothing uses.
func (s *Store) discardLayer(chainID string) error {
	dir, err := s.moveToTmp(chainID)
	if err != nil {
		return fmt.Errorf("discard layer %s: %w", chainID, errors.Join(err, os.RemoveAll(dir)))
	}
	return os.RemoveAll(dir)
}
