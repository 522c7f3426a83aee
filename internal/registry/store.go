package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// store is where images are kept: what this package does there beside distribution. On a disk a time is changed and a
// directory is moved in one step; S3 has neither, and renews and removes by other means (store_disk.go, store_s3.go).
//
// Paths are distribution's: from the root of what is kept, with slashes. That something is not there is never an error.
type store interface {
	storagedriver.StorageDriver

	// dirs names the directories in a directory. Unlike a glob it tells when it could not look: what is not seen would be taken
	// for unused.
	dirs(ctx context.Context, dir string) ([]string, error)
	// read gives a small file; nil where there is none.
	read(ctx context.Context, file string) ([]byte, error)
	// stat tells of a file how large it is and when it was written or renewed last, whichever is later.
	stat(ctx context.Context, file string) (stored, error)
	// renew gives a file the present time, and reports whether it is there.
	renew(ctx context.Context, file string) (bool, error)
	// touched is when something was last written to the data in a directory, or to the directory where it has none.
	touched(ctx context.Context, dir string) (stored, error)

	// received is how much of an upload has arrived and is kept.
	received(ctx context.Context, upload string) (int64, error)
	// discard forgets an upload and frees its space at once.
	discard(ctx context.Context, upload string) error

	// bury takes a directory out of sight in one step and gives the place where it is now, for erase; empty where it was gone.
	bury(ctx context.Context, g *grave, dir string) (place string, err error)
	// erase frees the space of what was buried.
	erase(ctx context.Context, place string) error
	// close frees that of all in a grave.
	close(ctx context.Context, g *grave) error
	// prune removes a directory in which there is nothing.
	prune(ctx context.Context, dir string)
	// finish erases what a crash has left buried before a time.
	finish(ctx context.Context, before time.Time) error
}

// stored is what is known about a file.
type stored struct {
	there bool
	size  int64
	time  time.Time
}

func (s stored) isOld(before time.Time) bool { return s.there && s.time.Before(before) }

// grave is where one collection, or removal, buries.
type grave struct {
	dir   string // empty: nothing was buried
	count int
}

// unlessUnknown takes what a driver does not find for no error.
func unlessUnknown(err error) error {
	var unknown storagedriver.PathNotFoundError
	if errors.As(err, &unknown) {
		return nil
	}
	return err
}

// openStore opens what the configuration names, and proves that it can be used.
func openStore(ctx context.Context, c Config) (store, error) {
	if c.S3 == nil {
		s, err := openDisk(c.Dir)
		if err != nil {
			return nil, fmt.Errorf("open registry in %s: %w", c.Dir, err)
		}
		return s, nil
	}
	s, err := openS3(ctx, *c.S3)
	if err != nil {
		return nil, fmt.Errorf("open registry in %s: %w", c.S3, err)
	}
	return s, nil
}
