package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const program = "github.com/setopsco/setops/internal/example/hello"

// versions are the images, by tag. The last one is broken on purpose.
var versions = []struct{ tag, broken string }{
	{"1.0", ""},
	{"1.1", ""},
	{"1.2", ""},
	{"1.3", "cannot start: DATABASE_URL is not set"},
}

func pack(path string, archive bool) error {
	images := make([]v1.Image, len(versions))
	for i, v := range versions {
		binary, err := compile(v.tag, v.broken)
		if err != nil {
			return err
		}
		if images[i], err = image(binary); err != nil {
			return fmt.Errorf("make image %s: %w", v.tag, err)
		}
	}
	if archive {
		return writeArchive(path, images)
	}
	return writeLayout(path, images)
}

// compile makes a program that needs nothing of the system that it runs on.
func compile(version, broken string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "setops-pack-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a directory of temporary files
	path := filepath.Join(dir, "hello")
	flags := fmt.Sprintf("-s -w -X 'main.version=%s' -X 'main.broken=%s'", version, broken)
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", path, program)
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile hello %s: %w: %s", version, err, strings.TrimSpace(string(out)))
	}
	return os.ReadFile(path)
}

// image has the program as its only file. Nothing in it depends on the time.
func image(binary []byte) (v1.Image, error) {
	layer, err := layerOf(binary)
	if err != nil {
		return nil, err
	}
	// Older versions of skopeo look for OCI's types in a layout, and for nothing else.
	img := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	img, err = mutate.AppendLayers(img, layer)
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.Entrypoint = []string{"/hello"}
	config.Config.User = "65532"
	return mutate.ConfigFile(img, config)
}

func layerOf(binary []byte) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "hello", Mode: 0o755, Size: int64(len(binary))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(binary); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}

// writeLayout gives every image the annotation that skopeo finds a tag by.
func writeLayout(path string, images []v1.Image) error {
	all := layout.Path(path)
	if _, err := layout.Write(path, empty.Index); err != nil {
		return fmt.Errorf("write layout: %w", err)
	}
	for i, v := range versions {
		tag := layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": v.tag})
		if err := all.AppendImage(images[i], tag); err != nil {
			return fmt.Errorf("write image %s: %w", v.tag, err)
		}
		if err := report(v.tag, images[i]); err != nil {
			return err
		}
	}
	return nil
}

func writeArchive(path string, images []v1.Image) error {
	all := map[name.Reference]v1.Image{}
	for i, v := range versions {
		tag, err := name.NewTag("hello:" + v.tag)
		if err != nil {
			return err
		}
		all[tag] = images[i]
		if err := report(v.tag, images[i]); err != nil {
			return err
		}
	}
	if err := tarball.MultiRefWriteToFile(path, all); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return nil
}

func report(tag string, image v1.Image) error {
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	_, err = fmt.Printf("hello:%s   %s\n", tag, digest)
	return err
}
