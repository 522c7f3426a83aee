package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// layoutDir is a directory with an OCI layout; image is the name of one in it, and may be empty.
type layoutDir struct{ path, image string }

func isLayout(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "index.json"))
	return err == nil
}

func (l layoutDir) String() string {
	if l.image == "" {
		return l.path
	}
	return l.path + ":" + l.image
}

func (l layoutDir) Open(_ context.Context, want v1.Platform) (Opened, error) {
	return openLayout(l.path, l, want)
}

// openLayout reads the layout in dir, which is that of shown.
func openLayout(dir string, shown layoutDir, want v1.Platform) (Opened, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return Opened{}, fmt.Errorf("read the OCI layout %s: %w", shown, err)
	}
	image, name, err := fromIndex(index, shown.image, want)
	if err != nil {
		return Opened{}, fmt.Errorf("%s cannot be deployed: %w", shown, err)
	}
	return Opened{Image: image, Tag: tagOf(name)}, nil
}

// tagOf gives the tag in the name that a layout or Docker gives an image: all of it, or what follows its last colon.
func tagOf(name string) string {
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[i+1:]
	}
	if !tagForm.MatchString(name) {
		return ""
	}
	return name
}
