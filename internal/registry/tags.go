package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/distribution/distribution/v3"
)

// Digest returns the digest that a tag names now; ok is false where it names
// none. Errors: ErrNameInvalid, or that of the storage.
func (r *Registry) Digest(ctx context.Context, repository, tag string) (digest string, ok bool, err error) {
	repo, err := r.repository(ctx, repository)
	if err != nil {
		return "", false, err
	}
	named, err := repo.Tags(ctx).Get(ctx, tag)
	var unknown distribution.ErrTagUnknown
	if errors.As(err, &unknown) || errors.Is(orNotFound(err), ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("look up tag %s of %s: %w", tag, repository, err)
	}
	digest = named.Digest.String()
	return digest, !r.condemned.holds(Reference{repository, digest}), nil
}

// Tags returns the tags of a repository, sorted; none is no error. Errors: as
// Digest.
func (r *Registry) Tags(ctx context.Context, repository string) ([]string, error) {
	repo, err := r.repository(ctx, repository)
	if err != nil {
		return nil, err
	}
	tags, err := repo.Tags(ctx).All(ctx)
	if err = orNotFound(err); errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list tags of %s: %w", repository, err)
	}
	slices.Sort(tags)
	return tags, nil
}
