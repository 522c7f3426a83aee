package registry

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

// storageThreads bounds the file operations of distribution that run at once.
const storageThreads = 100

// disk keeps images in one directory.
type disk struct {
	storagedriver.StorageDriver
	root string
}

// openDisk makes the directory where it is missing, readable by its owner only.
func openDisk(root string) (*disk, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	return &disk{filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: storageThreads}), root}, nil
}

func (d *disk) file(p string) string { return filepath.Join(d.root, filepath.FromSlash(p)) }

func (d *disk) dirs(_ context.Context, dir string) ([]string, error) {
	entries, err := os.ReadDir(d.file(dir))
	if err != nil {
		return nil, unlessGone(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (d *disk) read(_ context.Context, file string) ([]byte, error) {
	content, err := os.ReadFile(d.file(file))
	return content, unlessGone(err)
}

func (d *disk) stat(_ context.Context, file string) (stored, error) {
	info, err := os.Stat(d.file(file))
	if err != nil {
		return stored{}, unlessGone(err)
	}
	return stored{there: true, size: info.Size(), time: info.ModTime()}, nil
}

func (d *disk) renew(_ context.Context, file string) (bool, error) {
	err := os.Chtimes(d.file(file), time.Time{}, time.Now())
	return err == nil, unlessGone(err)
}

// touched looks at the data first: its time moves while bytes arrive, that of the directory only between requests.
func (d *disk) touched(ctx context.Context, dir string) (stored, error) {
	data, err := d.stat(ctx, path.Join(dir, "data"))
	if err != nil || data.there {
		return data, err
	}
	return d.stat(ctx, dir)
}

func (d *disk) received(ctx context.Context, upload string) (int64, error) {
	data, err := d.stat(ctx, path.Join(upload, "data"))
	return data.size, err
}

// discard empties the file first: on a full disk distribution leaves it open, and its space would stay taken until the garbage
// collector closes it.
func (d *disk) discard(_ context.Context, upload string) error {
	err := os.Truncate(d.file(path.Join(upload, "data")), 0)
	return errors.Join(unlessGone(err), os.RemoveAll(d.file(upload)))
}

// bury moves the directory away. A disk that has no room for that either is to get some all the same.
func (d *disk) bury(_ context.Context, g *grave, dir string) (string, error) {
	place, err := d.move(g, dir)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return dir, os.RemoveAll(d.file(dir))
	}
	return place, err
}

// trash is where buried directories lie. A crash leaves them to finish.
const trash = "/removed"

func (d *disk) move(g *grave, dir string) (string, error) {
	if g.dir == "" {
		if err := os.MkdirAll(d.file(trash), 0o700); err != nil {
			return "", err
		}
		made, err := os.MkdirTemp(d.file(trash), "")
		if err != nil {
			return "", err
		}
		g.dir = path.Join(trash, filepath.Base(made))
	}
	g.count++
	place := path.Join(g.dir, strconv.Itoa(g.count))
	if err := os.Rename(d.file(dir), d.file(place)); err != nil {
		return "", unlessGone(err)
	}
	return place, nil
}

func (d *disk) erase(_ context.Context, place string) error { return os.RemoveAll(d.file(place)) }

func (d *disk) close(_ context.Context, g *grave) error {
	if g.dir == "" {
		return nil
	}
	return os.RemoveAll(d.file(g.dir))
}

func (d *disk) prune(_ context.Context, dir string) {
	_ = os.Remove(d.file(dir)) // which it does where there is nothing in it
}

func (d *disk) finish(_ context.Context, before time.Time) error {
	entries, err := os.ReadDir(d.file(trash))
	if err != nil {
		return unlessGone(err)
	}
	var problems []error
	for _, entry := range entries {
		if info, err := entry.Info(); err != nil || !info.ModTime().Before(before) {
			continue
		}
		problems = append(problems, os.RemoveAll(filepath.Join(d.file(trash), entry.Name())))
	}
	return errors.Join(problems...)
}

// unlessGone takes what is not there for no error.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
