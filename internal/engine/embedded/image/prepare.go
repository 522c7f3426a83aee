//go:build linux

package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// Prepare fetches and unpacks what of the image is not there yet; of a prepared image it only looks at the disk. Layers
// that several callers want at once are unpacked by one of them.
//
// An image that can never run here is a *host.ImageError; a full disk wraps ENOSPC. Neither leaves anything behind but
// layers that are whole.
func (s *Store) Prepare(ctx context.Context, i engine.Image) error {
	r, err := s.prepare(ctx, i)
	if err != nil {
		return err
	}
	s.unpin(r.Layers)
	return nil
}

// prepare leaves the image's layers pinned.
func (s *Store) prepare(ctx context.Context, i engine.Image) (*record, error) {
	if r, ok := s.prepared(i); ok {
		return r, nil
	}
	if v := setops.CheckDigest(i.Digest); v != nil {
		return nil, imageErrorf("%q is no image digest: %s", i.Digest, v[0].Message)
	}
	m, digest, err := s.resolve(ctx, i)
	if err != nil {
		return nil, err
	}
	c, err := s.config(ctx, i.Repository, m)
	if err != nil {
		return nil, err
	}
	r := &record{
		Repository: i.Repository, Digest: i.Digest, Manifest: digest,
		Config: *c, Layers: chainIDs(c.RootFS.DiffIDs),
	}
	s.pin(r.Layers)
	if err := s.ensureLayers(ctx, i.Repository, m, r); err != nil {
		s.unpin(r.Layers)
		return nil, err
	}
	if err := s.saveRecord(i, r); err != nil {
		s.unpin(r.Layers)
		return nil, s.explain(err)
	}
	return r, nil
}

// ensureLayers unpacks the layers that are missing, lowest first: each is unpacked onto those below it.
func (s *Store) ensureLayers(ctx context.Context, repository string, m *v1.Manifest, r *record) error {
	left := budget{bytes: s.cfg.MaxUnpackedBytes, entries: s.cfg.MaxEntries, max: s.cfg.MaxUnpackedBytes, maxEntries: s.cfg.MaxEntries}
	for n := range m.Layers {
		l := layer{
			repository: repository, blob: m.Layers[n], diffID: r.Config.RootFS.DiffIDs[n],
			chainID: r.Layers[n], parents: r.Layers[:n],
		}
		meta, err := s.ensureLayer(ctx, l, left)
		if err != nil {
			return fmt.Errorf("unpack layer %d of %d: %w", n+1, len(m.Layers), err)
		}
		left.bytes -= meta.Bytes
		left.entries -= meta.Entries
		if err := left.exceeded(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) ensureLayer(ctx context.Context, l layer, left budget) (layerMeta, error) {
	unlock, err := s.locks.lock(ctx, l.chainID)
	if err != nil {
		return layerMeta{}, err
	}
	defer unlock()
	if m, err := s.readLayer(l.chainID); err == nil {
		return m, nil
	}
	m, err := s.unpack(ctx, l, left)
	return m, s.explain(err)
}

// explain says what to do about a full disk or an exhausted quota.
func (s *Store) explain(err error) error {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		return fmt.Errorf("no space left on the disk that holds %s; free some and try again: %w", s.cfg.Dir, err)
	}
	return err
}

// chainIDs names each layer by itself and all below it, as the image specification has it: the same files on another
// base are another layer.
func chainIDs(diffIDs []v1.Hash) []string {
	ids := make([]string, len(diffIDs))
	for n, d := range diffIDs {
		if n == 0 {
			ids[n] = d.Hex
			continue
		}
		sum := sha256.Sum256([]byte("sha256:" + ids[n-1] + " " + d.String()))
		ids[n] = hex.EncodeToString(sum[:])
	}
	return ids
}
