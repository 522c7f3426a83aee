package registry

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// bucket keeps images on S3, or on what speaks its protocol.
//
// An object's time cannot be changed, and to copy a layer for it would cost as much as to push it. So beside what is renewed lies
// an empty object, used, and the later of the two times counts. Both are in one directory that has nothing else in it, and go
// together: that is one request, and nothing has to be moved away first.
//
//	blobs/sha256/ab/abcd…/data, used
//	repositories/ORG/PROJECT/STAGE/APP/_layers/sha256/abcd…/link, used
type bucket struct{ storagedriver.StorageDriver }

const used = "used"

// spell is how young something is that need not be renewed: a push asks for the same again and again, and so do nodes that pull it.
// Everything counts as younger by so much, so that whoever relies on it has as long as they would have had.
const spell = time.Minute

func (b *bucket) dirs(ctx context.Context, dir string) ([]string, error) {
	paths, err := b.List(ctx, dir)
	if err != nil {
		return nil, unlessUnknown(err)
	}
	names := make([]string, 0, len(paths))
	for _, p := range paths {
		names = append(names, path.Base(p))
	}
	return names, nil
}

func (b *bucket) read(ctx context.Context, file string) ([]byte, error) {
	content, err := b.GetContent(ctx, file)
	return content, unlessUnknown(err)
}

func (b *bucket) stat(ctx context.Context, file string) (found stored, err error) {
	err = b.each(ctx, path.Dir(file), func(info storagedriver.FileInfo) {
		switch info.Path() {
		case file:
			found.there, found.size = true, info.Size()
		case path.Join(path.Dir(file), used):
		default:
			return
		}
		found.time = later(found.time, info)
	})
	return found, err
}

func (b *bucket) renew(ctx context.Context, file string) (bool, error) {
	found, err := b.stat(ctx, file)
	if err != nil || !found.there {
		return false, err
	}
	if !found.time.After(time.Now()) {
		err = b.PutContent(ctx, path.Join(path.Dir(file), used), nil)
	}
	return err == nil, err
}

func (b *bucket) touched(ctx context.Context, dir string) (found stored, err error) {
	err = b.each(ctx, dir, func(info storagedriver.FileInfo) {
		found.there, found.size = true, found.size+info.Size()
		found.time = later(found.time, info)
	})
	return found, err
}

// each calls f with every object below a directory.
func (b *bucket) each(ctx context.Context, dir string, f func(storagedriver.FileInfo)) error {
	err := b.Walk(ctx, dir, func(info storagedriver.FileInfo) error {
		if !info.IsDir() {
			f(info)
		}
		return nil
	})
	return unlessUnknown(err)
}

func later(t time.Time, info storagedriver.FileInfo) time.Time {
	if counts := info.ModTime().Add(spell); counts.After(t) {
		return counts
	}
	return t
}

// received counts what S3 has of an object that is not complete.
func (b *bucket) received(ctx context.Context, upload string) (int64, error) {
	w, err := b.Writer(ctx, path.Join(upload, "data"), true)
	if err != nil {
		return 0, unlessUnknown(err)
	}
	return w.Size(), w.Close()
}

func (b *bucket) discard(ctx context.Context, upload string) error {
	w, err := b.Writer(ctx, path.Join(upload, "data"), true)
	if err == nil {
		err = errors.Join(w.Cancel(ctx), w.Close())
	}
	return errors.Join(unlessUnknown(err), b.erase(ctx, upload))
}

func (b *bucket) bury(ctx context.Context, _ *grave, dir string) (string, error) {
	err := b.Delete(ctx, dir)
	if err != nil {
		return "", unlessUnknown(err)
	}
	return dir, nil
}

func (b *bucket) erase(ctx context.Context, place string) error {
	if err := unlessUnknown(b.Delete(ctx, place)); err != nil {
		return fmt.Errorf("delete %s: %w", place, err)
	}
	return nil
}

func (*bucket) close(context.Context, *grave) error     { return nil } // bury has freed everything
func (*bucket) prune(context.Context, string)           {}             // directories are a manner of speaking
func (*bucket) finish(context.Context, time.Time) error { return nil } // nothing is moved away
