package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Reference names a manifest, of an image or of an index, in a repository.
type Reference struct {
	Repository string // ORGANIZATION/PROJECT/STAGE/APP
	Digest     string // sha256:…
}

func (r *Registry) repositoryDir(repository string) string {
	return filepath.Join(r.repositoriesDir(), filepath.FromSlash(repository))
}

func (r *Registry) revisionsDir(repository string) string {
	return filepath.Join(r.repositoryDir(repository), "_manifests", "revisions", string(digest.SHA256))
}

func (r *Registry) tagsDir(repository string) string {
	return filepath.Join(r.repositoryDir(repository), "_manifests", "tags")
}

func (r *Registry) layersDir(repository string) string {
	return filepath.Join(r.repositoryDir(repository), "_layers")
}

func (r *Registry) blobsDir() string {
	return filepath.Join(r.config.Dir, "docker", "registry", "v2", "blobs")
}

// Files whose times tell when something was pushed or asked for.

func (r *Registry) revisionLink(ref Reference) string {
	return filepath.Join(r.revisionsDir(ref.Repository), strings.TrimPrefix(ref.Digest, "sha256:"), "link")
}

func (r *Registry) layerLink(repository string, d digest.Digest) string {
	return filepath.Join(r.layersDir(repository), string(d.Algorithm()), d.Encoded(), "link")
}

func (r *Registry) blobData(d digest.Digest) string {
	return filepath.Join(r.blobsDir(), string(d.Algorithm()), d.Encoded()[:2], d.Encoded(), "data")
}

func (r *Registry) tagLink(repository, tag string) string {
	return filepath.Join(r.tagsDir(repository), tag, "current", "link")
}

// readLink gives the digest in a link; empty where there is none, or nothing that could be one.
func readLink(path string) (digest.Digest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", unlessGone(err)
	}
	parsed, err := digest.Parse(string(text))
	if err != nil {
		return "", nil // a crash of the machine can leave an empty file
	}
	return parsed, nil
}

// unlessGone takes what is not there for no error.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
