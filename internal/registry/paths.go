package registry

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
)

// Where distribution keeps things below Config.Dir:
//
//	docker/registry/v2/
//	    blobs/sha256/ab/abcd…/data          layers, configs and manifests
//	    repositories/ORG/PROJECT/STAGE/APP/
//	        _layers/  _manifests/           links to blobs, tags
//	        _uploads/UUID/data              what has arrived of a layer

// ErrNameInvalid says that something cannot be the name of a repository.
var ErrNameInvalid = errors.New("invalid name of a repository")

func (r *Registry) repositoriesDir() string {
	return filepath.Join(r.config.Dir, "docker", "registry", "v2", "repositories")
}

func (r *Registry) uploadDir(rt route) string {
	return filepath.Join(r.repositoryDir(rt.repository), "_uploads", rt.upload)
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
