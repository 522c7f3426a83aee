package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/distribution/distribution/v3"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

var (
	// ErrNotFound says that a repository has no such manifest or blob.
	ErrNotFound = errors.New("not found in the repository")
	// ErrDigestInvalid says that something is no digest: those are "sha256:"
	// and 64 hexadecimal digits in lower case.
	ErrDigestInvalid = errors.New("invalid digest")
)

// Exists says whether the repository holds the manifest (of an image or of an
// index), and keeps it from being collected for the time that Collect gives
// what is young. Errors: ErrDigestInvalid, ErrNameInvalid, or that of the storage.
func (r *Registry) Exists(ctx context.Context, repository, digest string) (bool, error) {
	manifests, wanted, err := r.manifests(ctx, repository, digest)
	if err != nil {
		return false, err
	}
	found, err := r.relyOnManifest(ctx, Reference{repository, digest})
	if err == nil && found {
		found, err = manifests.Exists(ctx, wanted)
	}
	if err != nil {
		return false, fmt.Errorf("look for %s in %s: %w", digest, repository, err)
	}
	return found, nil
}

// Manifest returns a manifest or an index as it was pushed, at most 4 MiB, and
// its media type, and keeps it as Exists does. Errors: as Exists, and
// ErrNotFound.
func (r *Registry) Manifest(ctx context.Context, repository, digest string) (body []byte, mediaType string, err error) {
	manifests, wanted, err := r.manifests(ctx, repository, digest)
	if err != nil {
		return nil, "", err
	}
	found, err := r.relyOnManifest(ctx, Reference{repository, digest})
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return nil, "", fmt.Errorf("read manifest %s of %s: %w", digest, repository, err)
	}
	manifest, err := manifests.Get(ctx, wanted)
	if err != nil {
		return nil, "", fmt.Errorf("read manifest %s of %s: %w", digest, repository, orNotFound(err))
	}
	mediaType, body, err = manifest.Payload()
	if err != nil {
		return nil, "", fmt.Errorf("read manifest %s of %s: %w", digest, repository, err)
	}
	return body, mediaType, nil
}

// Blob opens a layer or a config. The caller closes it, and checks the digest
// if it matters: the disk may have changed what was verified when it was
// pushed. Errors: as Manifest.
func (r *Registry) Blob(ctx context.Context, repository, digest string) (io.ReadCloser, error) {
	repo, err := r.repository(ctx, repository)
	if err != nil {
		return nil, err
	}
	wanted, err := parseDigest(digest)
	if err != nil {
		return nil, err
	}
	blob, err := repo.Blobs(ctx).Open(ctx, wanted)
	if err != nil {
		return nil, fmt.Errorf("open blob %s of %s: %w", digest, repository, orNotFound(err))
	}
	return blob, nil
}

// TagsOf returns the tags that name the digest now, sorted; none is no error.
// Errors: as Exists.
func (r *Registry) TagsOf(ctx context.Context, repository, digest string) ([]string, error) {
	repo, err := r.repository(ctx, repository)
	if err != nil {
		return nil, err
	}
	wanted, err := parseDigest(digest)
	if err != nil {
		return nil, err
	}
	if r.condemned.holds(Reference{repository, digest}) {
		return nil, nil
	}
	tags, err := repo.Tags(ctx).Lookup(ctx, v1.Descriptor{Digest: wanted})
	if err = orNotFound(err); errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list tags of %s in %s: %w", digest, repository, err)
	}
	slices.Sort(tags)
	return tags, nil
}

func (r *Registry) repository(ctx context.Context, name string) (distribution.Repository, error) {
	named, err := parseName(name, 4, 4)
	if err != nil {
		return nil, err
	}
	repo, err := r.content.Repository(ctx, named)
	if err != nil {
		return nil, fmt.Errorf("open repository %s: %w", name, orNotFound(err))
	}
	return repo, nil
}

func (r *Registry) manifests(ctx context.Context, repository, wanted string) (distribution.ManifestService, digest.Digest, error) {
	parsed, err := parseDigest(wanted)
	if err != nil {
		return nil, "", err
	}
	repo, err := r.repository(ctx, repository)
	if err != nil {
		return nil, "", err
	}
	manifests, err := repo.Manifests(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("open manifests of %s: %w", repository, err)
	}
	return manifests, parsed, nil
}

func parseDigest(s string) (digest.Digest, error) {
	parsed, err := digest.Parse(s)
	if err != nil {
		return "", fmt.Errorf("%w %q: %w", ErrDigestInvalid, s, err)
	}
	if parsed.Algorithm() != digest.SHA256 {
		return "", fmt.Errorf("%w %q: it is not a SHA-256", ErrDigestInvalid, s)
	}
	return parsed, nil
}

// orNotFound gives distribution's many errors for "not there" one name.
func orNotFound(err error) error {
	var (
		manifest   distribution.ErrManifestUnknown
		revision   distribution.ErrManifestUnknownRevision
		repository distribution.ErrRepositoryUnknown
	)
	switch {
	case errors.Is(err, distribution.ErrBlobUnknown),
		errors.As(err, &manifest), errors.As(err, &revision), errors.As(err, &repository):
		return ErrNotFound
	default:
		return err
	}
}
