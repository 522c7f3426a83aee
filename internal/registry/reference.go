package registry

import (
	"context"

	"github.com/opencontainers/go-digest"
)

// Reference names a manifest, of an image or of an index, in a repository.
type Reference struct {
	Repository string // ORGANIZATION/PROJECT/STAGE/APP
	Digest     string // sha256:…
}

// readLink gives the digest in a link; empty where there is none, or nothing that could be one.
func (r *Registry) readLink(ctx context.Context, file string) (digest.Digest, error) {
	text, err := r.images.read(ctx, file)
	if err != nil {
		return "", err
	}
	parsed, err := digest.Parse(string(text))
	if err != nil {
		return "", nil // a crash of the machine can leave an empty file
	}
	return parsed, nil
}
