//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// image is an app of the bench as an image FROM scratch.
type image struct {
	v1.Image
	program string // the same program on the disk
	size    int64
}

// hello builds the app and its image, once.
func (b *bench) hello(ctx context.Context) (*image, error) {
	if b.image != nil {
		return b.image, nil
	}
	var err error
	b.image, err = b.program(ctx, "hello")
	return b.image, err
}

// program builds an app below this directory and its image.
func (b *bench) program(ctx context.Context, name string) (*image, error) {
	program := filepath.Join(b.dir, name)
	env := []string{"CGO_ENABLED=0"}
	if _, err := output(ctx, env, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", program, "./internal/bench/"+name); err != nil {
		return nil, fmt.Errorf("build the bench's app: %w", err)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	img, err := imageOf(name, content)
	if err != nil {
		return nil, fmt.Errorf("build the bench's image: %w", err)
	}
	return &image{Image: img, program: program, size: int64(len(content))}, nil
}

func imageOf(name string, program []byte) (v1.Image, error) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(program))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(program); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, l)
	if err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.Architecture, file.OS, file.Config.Entrypoint = runtime.GOARCH, "linux", []string{"/" + name}
	return mutate.ConfigFile(img, file)
}

// push sends the image to the repository of an app and gives its digest.
func (i *image) push(ctx context.Context, s *server, app string) (digest string, err error) {
	if err := s.push(ctx, i, stage, app); err != nil {
		return "", err
	}
	d, err := i.Digest()
	return d.String(), err
}

func (s *server) push(ctx context.Context, i v1.Image, stage, app string) error {
	ref, err := name.ParseReference(s.api + "/" + organization + "/" + project + "/" + stage + "/" + app + ":1")
	if err != nil {
		return err
	}
	if err := remote.Write(ref, i, s.credentials(), remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("push the bench's image: %w", err)
	}
	return nil
}

func (s *server) credentials() remote.Option {
	return remote.WithAuth(&authn.Basic{Username: admin, Password: s.password})
}
