package registry

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// Where distribution keeps things, below Config.Dir or Config.S3.Prefix:
//
//	docker/registry/v2/
//	    blobs/sha256/ab/abcd…/data          layers, configs and manifests
//	    repositories/ORG/PROJECT/STAGE/APP/
//	        _layers/  _manifests/           links to blobs, tags
//	        _uploads/UUID/data              what has arrived of a layer

// ErrNameInvalid says that something cannot be the name of a repository.
var ErrNameInvalid = errors.New("invalid name of a repository")

const (
	repositoriesDir = "/docker/registry/v2/repositories"
	blobsDir        = "/docker/registry/v2/blobs"
)

func repositoryDir(repository string) string { return path.Join(repositoriesDir, repository) }

func uploadsDir(repository string) string { return path.Join(repositoryDir(repository), "_uploads") }

func uploadDir(rt route) string { return path.Join(uploadsDir(rt.repository), rt.upload) }

func revisionsDir(repository string) string {
	return path.Join(repositoryDir(repository), "_manifests", "revisions", string(digest.SHA256))
}

func tagsDir(repository string) string {
	return path.Join(repositoryDir(repository), "_manifests", "tags")
}

func layersDir(repository string) string { return path.Join(repositoryDir(repository), "_layers") }

// Files whose times tell when something was pushed or asked for.

func revisionLink(ref Reference) string {
	return path.Join(revisionsDir(ref.Repository), strings.TrimPrefix(ref.Digest, "sha256:"), "link")
}

func layerLink(repository string, d digest.Digest) string {
	return path.Join(layersDir(repository), string(d.Algorithm()), d.Encoded(), "link")
}

func blobData(d digest.Digest) string {
	return path.Join(blobsDir, string(d.Algorithm()), d.Encoded()[:2], d.Encoded(), "data")
}

func tagLink(repository, tag string) string {
	return path.Join(tagsDir(repository), tag, "current", "link")
}

// parseName checks that name has between least and most parts and nothing in
// it that could lead out of the directory.
func parseName(name string, least, most int) (reference.Named, error) {
	named, err := reference.WithName(name)
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w", ErrNameInvalid, name, err)
	}
	// The grammar takes a first part that cannot be a name for a host.
	if strings.Contains(name, ":") || strings.ToLower(name) != name {
		return nil, fmt.Errorf("%w %q", ErrNameInvalid, name)
	}
	if parts := strings.Count(name, "/") + 1; parts < least || parts > most {
		return nil, fmt.Errorf("%w %q: it has %d parts", ErrNameInvalid, name, parts)
	}
	return named, nil
}
