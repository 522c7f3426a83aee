//go:build linux

package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
)

// Rootfs is the root file system of one container.
type Rootfs struct {
	Path   string // mounted, writable by this container alone
	Config v1.ConfigFile
	Digest string // of the manifest for this machine
}

// mountRecord is what is kept of a mount, so that its layers stay as long as it does.
type mountRecord struct {
	Repository, Digest, Manifest string
	Layers                       []string
}

// Mount gives the container a root file system of the image, which is prepared first if it is not. Called again for the
// same container it gives the mount that is there, with what was written to it; another image is an error then.
func (s *Store) Mount(ctx context.Context, i engine.Image, containerID string) (Rootfs, error) {
	dir, err := s.mountDir(containerID)
	if err != nil {
		return Rootfs{}, err
	}
	r, err := s.prepare(ctx, i)
	if err != nil {
		return Rootfs{}, err
	}
	defer s.unpin(r.Layers)
	unlock, err := s.locks.lock(ctx, "mount/"+containerID)
	if err != nil {
		return Rootfs{}, err
	}
	defer unlock()
	rootfs := Rootfs{Path: filepath.Join(dir, "rootfs"), Config: r.Config, Digest: r.Manifest}
	if isMount(rootfs.Path) {
		return rootfs, checkSameImage(dir, r, containerID)
	}
	if err := s.mount(dir, r); err != nil {
		return Rootfs{}, errors.Join(fmt.Errorf("mount image for container %s: %w", containerID, s.explain(err)), s.unmount(dir))
	}
	return rootfs, nil
}

func (s *Store) mount(dir string, r *record) error {
	// What a reboot left of an earlier mount is not shown to the container.
	if err := s.unmount(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	m := mountRecord{Repository: r.Repository, Digest: r.Digest, Manifest: r.Manifest, Layers: r.Layers}
	if err := s.writeJSON(filepath.Join(dir, "mount.json"), m); err != nil {
		return fmt.Errorf("record mount: %w", err)
	}
	o := overlay{
		lower: s.lowerDirs(r.Layers), upper: filepath.Join(dir, "upper"),
		work: filepath.Join(dir, "work"), target: filepath.Join(dir, "rootfs"),
	}
	return o.mount()
}

func checkSameImage(dir string, r *record, containerID string) error {
	var m mountRecord
	if err := readJSON(filepath.Join(dir, "mount.json"), &m); err != nil {
		return fmt.Errorf("mount image for container %s: %w", containerID, err)
	}
	if m.Manifest != r.Manifest {
		return fmt.Errorf("mount image for container %s: it has image %s already, not %s", containerID, m.Manifest, r.Manifest)
	}
	return nil
}

// Unmount takes the container's root file system away, with all that was written to it. Where something still uses it,
// it disappears when that ends. A container without one is no error.
func (s *Store) Unmount(ctx context.Context, containerID string) error {
	dir, err := s.mountDir(containerID)
	if err != nil {
		return err
	}
	unlock, err := s.locks.lock(ctx, "mount/"+containerID)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.unmount(dir); err != nil {
		return fmt.Errorf("unmount image of container %s: %w", containerID, err)
	}
	return nil
}

func (s *Store) unmount(dir string) error {
	if err := unmountAll(filepath.Join(dir, "rootfs")); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// Mounts lists the containers that have a root file system, or a rest of one that Unmount would remove.
func (s *Store) Mounts(context.Context) ([]string, error) {
	entries, err := os.ReadDir(s.mountsDir())
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	ids := make([]string, 0, len(entries))
	for _, e := range entries {
		ids = append(ids, e.Name())
	}
	return ids, nil
}

// mountDir refuses ids that would lead out of the directory.
func (s *Store) mountDir(containerID string) (string, error) {
	if containerID == "" || strings.ContainsAny(containerID, "/.\x00") {
		return "", fmt.Errorf("mount image: %q is no id of a container", containerID)
	}
	return filepath.Join(s.mountsDir(), containerID), nil
}

// isMount reports whether something is mounted on path: it is on another device than the directory above then.
func isMount(path string) bool {
	var here, above unix.Stat_t
	if unix.Lstat(path, &here) != nil || unix.Lstat(filepath.Dir(path), &above) != nil {
		return false
	}
	return here.Dev != above.Dev
}
