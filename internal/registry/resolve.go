package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxConfigBytes bounds the config of an image, which is kept in memory; the
// limit of a manifest is distribution's, and the same.
const maxConfigBytes = 4 << 20

// maxIndexDepth is how many indexes may lead to each other.
const maxIndexDepth = 3

// Media types of Docker, next to those of OCI in v1.
const (
	dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerConfig       = "application/vnd.docker.container.image.v1+json"
)

// ErrNotAnImage says that a manifest describes something that is no container
// image, such as a chart or a signature.
var ErrNotAnImage = errors.New("not a container image")

// Image is an image for one platform.
type Image struct {
	Digest       string // of its manifest, never of an index
	MediaType    string // of its manifest
	ConfigDigest string
	Config       []byte  // JSON, as pushed
	Layers       []Layer // lowest first
}

// Layer is one layer of an Image. It can be read with Blob, unless it is a
// foreign one that was never pushed.
type Layer struct {
	Digest    string
	Size      int64 // compressed bytes
	MediaType string
}

// Resolve returns the image that a digest means on a machine with the given
// operating system and architecture, in Go's words: the image itself, or the
// one that suits best of the index. Errors: as Manifest, *PlatformError,
// ErrNotAnImage.
func (r *Registry) Resolve(ctx context.Context, repository, digest, os, arch string) (Image, error) {
	wanted := resolution{registry: r, repository: repository, digest: digest, os: os, arch: arch}
	return wanted.follow(ctx, digest, 0)
}

// resolution is one call of Resolve.
type resolution struct {
	registry           *Registry
	repository, digest string
	os, arch           string
}

func (s resolution) follow(ctx context.Context, digest string, depth int) (Image, error) {
	body, mediaType, err := s.registry.Manifest(ctx, s.repository, digest)
	if err != nil {
		return Image{}, err
	}
	if mediaType != v1.MediaTypeImageIndex && mediaType != dockerManifestList {
		return s.image(ctx, digest, mediaType, body)
	}
	if depth == maxIndexDepth {
		return Image{}, fmt.Errorf("resolve %s: more than %d indexes lead to each other", s.digest, maxIndexDepth)
	}
	var index v1.Index
	if err := json.Unmarshal(body, &index); err != nil {
		return Image{}, fmt.Errorf("decode index %s: %w", digest, err)
	}
	if chosen, found := pick(index.Manifests, s.os, s.arch); found {
		return s.follow(ctx, chosen.Digest.String(), depth+1)
	}
	return s.followUnlabelled(ctx, index, depth)
}

// followUnlabelled looks into the manifests for which the index names no
// platform, which OCI allows.
func (s resolution) followUnlabelled(ctx context.Context, index v1.Index, depth int) (Image, error) {
	mismatch := &PlatformError{Digest: s.digest, Want: s.os + "/" + s.arch, Have: platformNames(index.Manifests)}
	for _, d := range index.Manifests {
		if d.Platform != nil {
			continue
		}
		image, err := s.follow(ctx, d.Digest.String(), depth+1)
		var other *PlatformError
		switch {
		case err == nil:
			return image, nil
		case errors.As(err, &other):
			mismatch.Have = append(mismatch.Have, other.Have...)
		case !errors.Is(err, ErrNotAnImage):
			return Image{}, err
		}
	}
	return Image{}, mismatch
}

func (s resolution) image(ctx context.Context, digest, mediaType string, body []byte) (Image, error) {
	var manifest v1.Manifest
	if err := json.Unmarshal(body, &manifest); err != nil {
		return Image{}, fmt.Errorf("decode manifest %s: %w", digest, err)
	}
	if t := manifest.Config.MediaType; t != v1.MediaTypeImageConfig && t != dockerConfig {
		return Image{}, fmt.Errorf("%s: %w, its config is a %s", digest, ErrNotAnImage, t)
	}
	config, err := s.config(ctx, manifest.Config)
	if err != nil {
		return Image{}, err
	}
	image := Image{
		Digest: digest, MediaType: mediaType,
		ConfigDigest: manifest.Config.Digest.String(), Config: config,
		Layers: make([]Layer, 0, len(manifest.Layers)),
	}
	for _, l := range manifest.Layers {
		image.Layers = append(image.Layers, Layer{Digest: l.Digest.String(), Size: l.Size, MediaType: l.MediaType})
	}
	return image, nil
}

// config reads the config and checks that it is for the wanted platform.
func (s resolution) config(ctx context.Context, d v1.Descriptor) ([]byte, error) {
	blob, err := s.registry.Blob(ctx, s.repository, d.Digest.String())
	if err != nil {
		return nil, err
	}
	defer func() { _ = blob.Close() }() // it was only read
	config, err := io.ReadAll(io.LimitReader(blob, maxConfigBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read config %s: %w", d.Digest, err)
	}
	if len(config) > maxConfigBytes {
		return nil, fmt.Errorf("read config %s: it exceeds %s", d.Digest, formatBytes(maxConfigBytes))
	}
	var built v1.Platform
	if err := json.Unmarshal(config, &built); err != nil {
		return nil, fmt.Errorf("decode config %s: %w", d.Digest, err)
	}
	// Small tools leave the platform out; such an image is taken at its word.
	if (built.OS != "" && built.OS != s.os) || (built.Architecture != "" && built.Architecture != s.arch) {
		return nil, &PlatformError{Digest: s.digest, Want: s.os + "/" + s.arch, Have: []string{platformName(built)}}
	}
	return config, nil
}
