//go:build linux

package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
)

const (
	maxManifestBytes = 4 << 20 // what registries accept at most
	maxConfigBytes   = 8 << 20
	maxIndexDepth    = 3
	maxLayers        = 500 // what overlayfs stacks
)

// resolve fetches the manifest that the image stands for on this machine; an index is followed.
func (s *Store) resolve(ctx context.Context, i engine.Image) (*v1.Manifest, string, error) {
	digest := i.Digest
	for range maxIndexDepth {
		body, mediaType, err := s.manifest(ctx, i.Repository, digest)
		if err != nil {
			return nil, "", err
		}
		switch {
		case mediaType.IsImage():
			m, err := parseManifest(body)
			return m, digest, err
		case mediaType.IsIndex():
			if digest, err = s.choose(body); err != nil {
				return nil, "", err
			}
		default:
			return nil, "", imageErrorf("the image cannot run: its manifest has the type %q, which is no container image", mediaType)
		}
	}
	return nil, "", imageErrorf("the image cannot run: its index leads to more than %d other indexes", maxIndexDepth)
}

// manifest fetches a manifest or index and verifies its digest.
func (s *Store) manifest(ctx context.Context, repository, digest string) ([]byte, types.MediaType, error) {
	body, mediaType, err := s.cfg.Source.Manifest(ctx, repository, digest)
	if err != nil {
		return nil, "", fmt.Errorf("fetch manifest %s of %s: %w", digest, repository, err)
	}
	if len(body) > maxManifestBytes {
		return nil, "", imageErrorf("the image cannot run: its manifest is larger than %d MiB", maxManifestBytes>>20)
	}
	if err := verify(body, digest); err != nil {
		return nil, "", fmt.Errorf("fetch manifest of %s: %w", repository, err)
	}
	if mediaType == "" {
		var own struct {
			MediaType string `json:"mediaType"`
		}
		// A body that is no JSON leaves the type empty, which the caller refuses.
		_ = json.Unmarshal(body, &own)
		mediaType = own.MediaType
	}
	mediaType, _, _ = strings.Cut(mediaType, ";")
	return body, types.MediaType(strings.TrimSpace(mediaType)), nil
}

func parseManifest(body []byte) (*v1.Manifest, error) {
	m, err := v1.ParseManifest(bytes.NewReader(body))
	if err != nil {
		return nil, imageErrorf("the image cannot run: its manifest is no valid JSON: %v", err)
	}
	return m, nil
}

// config fetches the image's configuration and checks that it fits the manifest and this machine.
func (s *Store) config(ctx context.Context, repository string, m *v1.Manifest) (*v1.ConfigFile, error) {
	if !m.Config.MediaType.IsConfig() {
		return nil, imageErrorf("the image cannot run: its configuration has the type %q, which is no container image", m.Config.MediaType)
	}
	digest := m.Config.Digest.String()
	r, err := s.cfg.Source.Blob(ctx, repository, digest)
	if err != nil {
		return nil, fmt.Errorf("fetch configuration %s of %s: %w", digest, repository, err)
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, maxConfigBytes+1))
	if err != nil {
		return nil, fmt.Errorf("fetch configuration %s of %s: %w", digest, repository, err)
	}
	if len(body) > maxConfigBytes {
		return nil, imageErrorf("the image cannot run: its configuration is larger than %d MiB", maxConfigBytes>>20)
	}
	if err := verify(body, digest); err != nil {
		return nil, fmt.Errorf("fetch configuration of %s: %w", repository, err)
	}
	c, err := v1.ParseConfigFile(bytes.NewReader(body))
	if err != nil {
		return nil, imageErrorf("the image cannot run: its configuration is no valid JSON: %v", err)
	}
	return c, errors.Join(s.checkPlatform(c), checkLayers(m, c))
}

func checkLayers(m *v1.Manifest, c *v1.ConfigFile) error {
	switch n := len(m.Layers); {
	case n == 0:
		return imageErrorf("the image cannot run: it has no layers, so there is no file in it; build it with at least one COPY or ADD")
	case n > maxLayers:
		return imageErrorf("the image cannot run: it has %d layers, and at most %d can be stacked; build it with fewer steps", n, maxLayers)
	case n != len(c.RootFS.DiffIDs):
		return imageErrorf("the image cannot run: its manifest lists %d layers and its configuration %d", n, len(c.RootFS.DiffIDs))
	}
	for _, l := range m.Layers {
		if !l.MediaType.IsLayer() && l.MediaType != dockerZstdLayer || !l.MediaType.IsDistributable() {
			return imageErrorf("the image cannot run: one of its layers has the type %q, which cannot be unpacked here", l.MediaType)
		}
	}
	return nil
}

const dockerZstdLayer types.MediaType = "application/vnd.docker.image.rootfs.diff.tar.zstd"

// verify reports a body that does not have the digest.
func verify(body []byte, digest string) error {
	sum := sha256.Sum256(body)
	if got := "sha256:" + hex.EncodeToString(sum[:]); got != digest {
		return fmt.Errorf("content has digest %s instead of %s", got, digest)
	}
	return nil
}

func imageErrorf(format string, args ...any) error {
	return &host.ImageError{Reason: fmt.Sprintf(format, args...)}
}
