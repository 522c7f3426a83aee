//go:build linux

package image

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
)

// Limits that hold where Config leaves them at zero.
const (
	DefaultMaxUnpackedBytes = 20 << 30
	DefaultMaxEntries       = 1_000_000
)

// Config says where images come from and how large they may be.
type Config struct {
	Dir    string // of this store alone; made by New. It must be on a file system that overlayfs takes as upper layer
	Source engine.ImageSource
	Logger *slog.Logger

	MaxUnpackedBytes int64 // of all layers of one image together; 0: DefaultMaxUnpackedBytes
	MaxEntries       int   // files, directories and links of one image; 0: DefaultMaxEntries

	// Platform is what images must be made for; empty: that of this machine.
	Platform v1.Platform
}

// Store is the images of this host. It is safe for concurrent use; only one Store may use a directory.
type Store struct {
	cfg    Config
	log    *slog.Logger
	bootID string
	locks  keyLock
	flush  *flusher

	mu      sync.Mutex // guards what follows, and the removal of layers against their use
	records map[string]*record
	pins    map[string]int // chain id → number of calls that rely on the layer right now
}

// New opens the store in cfg.Dir. It removes what an earlier process left half done, and layers that may have lost data
// because the machine went down before they had reached the disk. Mounts are left alone: containers outlive this process.
func New(cfg Config) (*Store, error) {
	if cfg.MaxUnpackedBytes == 0 {
		cfg.MaxUnpackedBytes = DefaultMaxUnpackedBytes
	}
	if cfg.MaxEntries == 0 {
		cfg.MaxEntries = DefaultMaxEntries
	}
	if cfg.Platform.OS == "" {
		cfg.Platform = v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open image store: %w", err)
	}
	cfg.Dir = dir
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, fmt.Errorf("read boot id: %w", err)
	}
	s := &Store{
		cfg: cfg, log: cfg.Logger, bootID: string(boot),
		records: map[string]*record{}, pins: map[string]int{},
	}
	if err := s.makeDirs(); err != nil {
		return nil, err
	}
	if err := s.clean(); err != nil {
		return nil, err
	}
	s.flush = startFlusher(s.cfg.Dir, s.log)
	s.flushUnsafe()
	return s, nil
}

// Close ends the background work of the store. Mounts stay.
func (s *Store) Close() error {
	s.flush.stop()
	return nil
}

func (s *Store) makeDirs() error {
	for _, d := range []string{s.tmpDir(), s.imagesDir(), s.layersDir(), s.mountsDir()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return fmt.Errorf("make image store: %w", err)
		}
	}
	return nil
}

func (s *Store) tmpDir() string    { return filepath.Join(s.cfg.Dir, "tmp") }
func (s *Store) imagesDir() string { return filepath.Join(s.cfg.Dir, "images") }
func (s *Store) layersDir() string { return filepath.Join(s.cfg.Dir, "layers") }
func (s *Store) mountsDir() string { return filepath.Join(s.cfg.Dir, "mounts") }

func (s *Store) layerDir(chainID string) string { return filepath.Join(s.layersDir(), chainID) }

// clean removes what cannot be relied on.
func (s *Store) clean() error {
	if err := removeTrees(s.tmpDir()); err != nil {
		return err
	}
	layers, err := os.ReadDir(s.layersDir())
	if err != nil {
		return fmt.Errorf("list layers: %w", err)
	}
	for _, l := range layers {
		m, err := s.readLayer(l.Name())
		if err == nil && (m.Durable || m.BootID == s.bootID) {
			continue
		}
		s.log.Info("unpacked layer may have lost data when the machine went down; it is fetched again when needed", "layer", l.Name())
		if err := s.discardLayer(l.Name()); err != nil {
			return err
		}
	}
	return removeTrees(s.tmpDir())
}

// removeTrees empties dir; mounts one level below its entries are taken away first.
func removeTrees(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	var errs []error
	for _, e := range entries {
		errs = append(errs, removeTree(filepath.Join(dir, e.Name())))
	}
	return errors.Join(errs...)
}

func removeTree(dir string) error {
	if err := unmountAll(filepath.Join(dir, "merged")); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove %s: %w", dir, err)
	}
	return nil
}

// unmountAll takes away every mount on path, lazily where something still uses it.
func unmountAll(path string) error {
	for {
		err := unix.Unmount(path, unix.UMOUNT_NOFOLLOW)
		if errors.Is(err, unix.EBUSY) {
			err = unix.Unmount(path, unix.UMOUNT_NOFOLLOW|unix.MNT_DETACH)
		}
		switch {
		case err == nil:
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
			return nil // not, or no longer, a mount
		default:
			return fmt.Errorf("unmount %s: %w", path, err)
		}
	}
}
