package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Opened is an image that can be pushed. Close it once it was.
type Opened struct {
	v1.Image
	Tag     string // to push it with; empty: with none
	cleanUp func() error
}

// Close removes what was made to read the image.
func (o Opened) Close() error {
	if o.cleanUp == nil {
		return nil
	}
	return o.cleanUp()
}

// Source is a place that has an image which is still to be pushed.
type Source interface {
	// String names it in a sentence.
	String() string
	// Open reads the image that runs on a platform. Errors say what is wrong and, where that helps, what to do.
	Open(ctx context.Context, want v1.Platform) (Opened, error)
}

// Found is what an argument means: a tag or a digest that the app's repository has already, or a Source.
type Found struct {
	Pushed string
	Source Source
}

// dockerPrefix says that a name is one of Docker's, also where it looks like one of a registry.
const dockerPrefix = "docker-daemon:"

var (
	digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	tagForm    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
)

// Find tells what an argument means:
//
//	sha256:…                        a digest in the app's repository
//	a directory, a file             an OCI layout; an archive of one, or of docker save. PATH:NAME is one of several images in it
//	v1.2.0                          a tag in the app's repository, as it has neither / nor :
//	ghcr.io/acme/web:1.2            an image of another registry, as it begins with a host
//	web:latest, acme/web            an image of the Docker of this machine; so is docker-daemon:NAME
//	HOST/ORGANIZATION/…/APP:1.2     a tag in the app's repository, by its full name
func Find(argument string, t Target) (Found, error) {
	if name, ofDocker := strings.CutPrefix(argument, dockerPrefix); ofDocker {
		return Found{Source: inDocker{name: name}}, nil
	}
	if digestForm.MatchString(argument) {
		return Found{Pushed: argument}, nil
	}
	if found, ok, err := onDisk(argument); ok || err != nil {
		return found, err
	}
	if tagForm.MatchString(argument) {
		return Found{Pushed: argument}, nil
	}
	return named(argument, t)
}

// onDisk finds directories and files. A directory that is no layout may share its name with a tag.
func onDisk(path string) (Found, bool, error) {
	file, image := inFile(path)
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && looksLikePath(path):
		return Found{}, false, fmt.Errorf("there is no file or directory %s", path)
	case err != nil:
		return Found{}, false, nil
	case !info.IsDir():
		return Found{Source: archive{file, image}}, true, nil
	case isLayout(file):
		return Found{Source: layoutDir{file, image}}, true, nil
	case tagForm.MatchString(path) && !looksLikePath(path):
		return Found{}, false, nil
	}
	return Found{}, false, fmt.Errorf("%s has no OCI layout in it; to build an image of what it has, add --build-with-docker or --build-with-pack", path)
}

// inFile parts PATH:NAME where PATH has images.
func inFile(argument string) (path, image string) {
	for i, c := range argument {
		if c != ':' {
			continue
		}
		if info, err := os.Stat(argument[:i]); err == nil && (!info.IsDir() || isLayout(argument[:i])) {
			return argument[:i], argument[i+1:]
		}
	}
	return argument, ""
}

func looksLikePath(text string) bool {
	for _, end := range []string{".tar", ".tar.gz", ".tgz"} {
		if strings.HasSuffix(text, end) {
			return true
		}
	}
	return text == "." || text == ".." || filepath.IsAbs(text) ||
		strings.HasPrefix(filepath.ToSlash(text), "./") || strings.HasPrefix(filepath.ToSlash(text), "../")
}

// named finds what has the name of an image.
func named(argument string, t Target) (Found, error) {
	host, rest, slashed := strings.Cut(argument, "/")
	if !slashed || !strings.ContainsAny(host, ".:") && host != "localhost" {
		if _, err := name.ParseReference(argument); err != nil {
			return Found{}, fmt.Errorf("%q is neither a file nor a directory nor the name of an image", argument)
		}
		return Found{Source: inDocker{name: argument}}, nil
	}
	if host == t.Host {
		if identifier, ours := strings.CutPrefix(rest, t.Repository); ours && identifier != "" {
			if tag := identifier[1:]; identifier[0] == ':' && tagForm.MatchString(tag) || identifier[0] == '@' && digestForm.MatchString(tag) {
				return Found{Pushed: tag}, nil
			}
		}
		repository, err := t.repository()
		if err != nil {
			return Found{}, err
		}
		return ofRegistry(argument, t, repository.Registry)
	}
	return ofRegistry(argument, t, name.Registry{})
}
