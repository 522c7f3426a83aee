//go:build linux

package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/pkg/archive"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"
)

// layer is one layer of an image, to be unpacked.
type layer struct {
	repository string
	blob       v1.Descriptor
	diffID     v1.Hash
	chainID    string
	parents    []string // chain ids of the layers below, lowest first
}

// unpack fetches the layer, verifies it and makes it appear in the store.
func (s *Store) unpack(ctx context.Context, l layer, left budget) (_ layerMeta, err error) {
	tmp, err := os.MkdirTemp(s.tmpDir(), "layer-")
	if err != nil {
		return layerMeta{}, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeTree(tmp))
		}
	}()
	m := &meter{left: left}
	if err := s.apply(ctx, l, tmp, m); err != nil {
		return layerMeta{}, err
	}
	meta := layerMeta{Bytes: m.bytes, Entries: m.entries, BootID: s.bootID}
	if err := s.writeJSON(filepath.Join(tmp, "layer.json"), meta); err != nil {
		return layerMeta{}, fmt.Errorf("describe layer: %w", err)
	}
	if err := os.Rename(tmp, s.layerDir(l.chainID)); err != nil {
		return layerMeta{}, fmt.Errorf("place layer: %w", err)
	}
	s.flush.after(s.layerDir(l.chainID))
	return meta, nil
}

// apply writes the layer's files to dir/fs. They are written through an overlay over the layers below: only so do the
// modes of directories that the layer does not mention, and hard links into lower layers, come out right.
func (s *Store) apply(ctx context.Context, l layer, dir string, m *meter) (err error) {
	fs := filepath.Join(dir, "fs")
	if err := makeDir(fs, 0o755); err != nil {
		return err
	}
	if len(l.parents) == 0 {
		return s.applyTo(ctx, l, fs, m)
	}
	o := overlay{
		lower: s.lowerDirs(l.parents), upper: fs,
		work: filepath.Join(dir, "work"), target: filepath.Join(dir, "merged"),
	}
	if err := o.mount(); err != nil {
		return err
	}
	err = errors.Join(s.applyTo(ctx, l, o.target, m), unmountAll(o.target))
	return errors.Join(err, os.RemoveAll(o.work), os.RemoveAll(o.target))
}

// applyTo streams the blob into root. Which error it was is decided at the end: a blob that is not what its digest says
// is the source's fault, one that is and yet cannot be unpacked is the image's.
func (s *Store) applyTo(ctx context.Context, l layer, root string, m *meter) error {
	b, err := s.openBlob(ctx, l)
	if err != nil {
		return err
	}
	defer b.Close()
	err = applyStream(ctx, b, root, m)
	if exceeded := m.left.exceeded(); exceeded != nil {
		return exceeded
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var errno unix.Errno
	if errors.As(err, &errno) && b.sourceErr() == nil {
		return fmt.Errorf("write files: %w", err)
	}
	if verr := b.verifyBlob(); verr != nil {
		return verr
	}
	if err != nil {
		return imageErrorf("the image cannot run: the layer %s is no valid archive: %v", l.blob.Digest, err)
	}
	return b.verifyDiffID()
}

func applyStream(ctx context.Context, b *blob, root string, m *meter) error {
	files, err := b.files()
	if err != nil {
		return err
	}
	limited := m.reader(files)
	if _, err := archive.Apply(ctx, root, limited, archive.WithFilter(m.accept)); err != nil {
		return err
	}
	// The archive ends before its stream does; the diff id covers all of it.
	_, err = io.Copy(io.Discard, limited)
	return err
}

// makeDir makes a directory of exactly that mode, whatever the process's umask.
func makeDir(path string, mode os.FileMode) error {
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("make directory: %w", err)
	}
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	return nil
}

func (s *Store) lowerDirs(chains []string) []string {
	dirs := make([]string, len(chains))
	for n, c := range chains {
		dirs[len(chains)-1-n] = filepath.Join(s.layerDir(c), "fs") // overlayfs wants the topmost first
	}
	return dirs
}
