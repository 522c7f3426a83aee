package image

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// archive is a tar file, gzipped or not: of an OCI layout, or what docker save writes. image is the name of one in it, and may be
// empty.
type archive struct{ path, image string }

func (a archive) String() string { return layoutDir(a).String() }

func (a archive) Open(ctx context.Context, want v1.Platform) (Opened, error) {
	return openArchive(ctx, a.path, layoutDir(a), want)
}

// openArchive reads the archive in a file, which is that of shown.
func openArchive(ctx context.Context, file string, shown layoutDir, want v1.Platform) (Opened, error) {
	entries, err := listArchive(file)
	switch {
	case err != nil:
		return Opened{}, fmt.Errorf("read %s as an archive: %w", shown, err)
	case entries["manifest.json"]:
		return openSaved(file, shown, want)
	case entries["index.json"]:
		return openPacked(ctx, file, shown, want)
	}
	return Opened{}, fmt.Errorf("%s has no image: it is neither an archive of docker save nor of an OCI layout", shown)
}

// openSaved reads what docker save has written.
func openSaved(file string, shown layoutDir, want v1.Platform) (Opened, error) {
	read := func() (io.ReadCloser, error) { return openTar(file) }
	manifest, err := tarball.LoadManifest(read)
	if err != nil {
		return Opened{}, fmt.Errorf("read the manifest of %s: %w", shown, err)
	}
	tag, err := savedTag(manifest, shown)
	if err != nil {
		return Opened{}, err
	}
	image, err := tarball.Image(read, tag)
	if err == nil {
		image, err = fromImage(image, want)
	}
	if err != nil {
		return Opened{}, fmt.Errorf("%s cannot be deployed: %w", shown, err)
	}
	opened := Opened{Image: image}
	switch {
	case tag != nil:
		opened.Tag = tag.TagStr()
	case len(manifest[0].RepoTags) > 0:
		opened.Tag = tagOf(manifest[0].RepoTags[0])
	}
	return opened, nil
}

// savedTag gives the name of the image that is meant, as Docker knows it; nil: there is one only.
func savedTag(manifest tarball.Manifest, shown layoutDir) (*name.Tag, error) {
	var names []string
	for _, d := range manifest {
		for _, n := range d.RepoTags {
			if shown.image != "" && (n == shown.image || tagOf(n) == shown.image) {
				tag, err := name.NewTag(n)
				return &tag, err
			}
		}
		names = append(names, d.RepoTags...)
	}
	switch {
	case shown.image != "":
		return nil, fmt.Errorf("%s has no image %s, only %s", shown.path, shown.image, strings.Join(names, ", "))
	case len(manifest) != 1:
		return nil, fmt.Errorf("%s has several images, %s; name one behind a colon", shown.path, strings.Join(names, ", "))
	}
	return nil, nil
}

// openPacked unpacks an archive of an OCI layout: its parts are needed in no order that it could have them in.
func openPacked(ctx context.Context, file string, shown layoutDir, want v1.Platform) (Opened, error) {
	dir, err := os.MkdirTemp("", "setops-deploy-")
	if err != nil {
		return Opened{}, fmt.Errorf("make a directory to unpack %s: %w", shown, err)
	}
	var opened Opened
	if err = unpack(ctx, file, dir); err != nil {
		err = fmt.Errorf("unpack %s: %w", shown, err)
	} else {
		opened, err = openLayout(dir, shown, want)
	}
	if err != nil {
		return Opened{}, errors.Join(err, os.RemoveAll(dir))
	}
	opened.cleanUp = func() error { return os.RemoveAll(dir) }
	return opened, nil
}

// gzipMagic is how a gzipped file begins.
const gzipMagic = "\x1f\x8b"

// openTar opens an archive, gzipped or not.
func openTar(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(f)
	if begin, _ := r.Peek(len(gzipMagic)); string(begin) != gzipMagic { // a file that cannot be read fails at the next read
		return readCloser{r, f}, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return readCloser{z, f}, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// eachEntry calls f with every file of an archive.
func eachEntry(path string, f func(h *tar.Header, content io.Reader) error) error {
	file, err := openTar(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	for t := tar.NewReader(file); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f(h, t); err != nil {
			return err
		}
	}
}

func listArchive(path string) (map[string]bool, error) {
	entries := map[string]bool{}
	err := eachEntry(path, func(h *tar.Header, _ io.Reader) error {
		entries[filepath.ToSlash(filepath.Clean(h.Name))] = true
		return nil
	})
	return entries, err
}

// unpack writes the files of an archive into dir, and nothing outside of it.
func unpack(ctx context.Context, path, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing is written to it by itself
	return eachEntry(path, func(h *tar.Header, content io.Reader) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := filepath.Clean(filepath.FromSlash(h.Name))
		switch h.Typeflag {
		case tar.TypeDir:
			err := root.MkdirAll(name, 0o700)
			if errors.Is(err, fs.ErrExist) {
				err = nil
			}
			return err
		case tar.TypeReg:
			return writeInto(root, name, content)
		}
		return nil // a layout has nothing else
	})
}

func writeInto(root *os.Root, name string, content io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}
