//go:build linux

package embedded_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/setopsco/setops/internal/engine"
)

// images is a registry in memory. It implements engine.ImageSource.
type images map[string]v1.Image

// add puts an image of those files there and gives its name.
func (s images) add(t testing.TB, config v1.Config, files map[string]file) engine.Image {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, layer(t, files))
	must(t, err)
	cf, err := img.ConfigFile()
	must(t, err)
	cf = cf.DeepCopy()
	cf.OS, cf.Architecture, cf.Config = "linux", goarch, config
	img, err = mutate.ConfigFile(img, cf)
	must(t, err)
	digest, err := img.Digest()
	must(t, err)
	s[digest.String()] = img
	return engine.Image{Repository: "demo/shop/prod/web", Digest: digest.String()}
}

type file struct {
	mode    int64
	content []byte
}

func layer(t testing.TB, files map[string]file) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	must(t, w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}))
	for name, f := range files {
		must(t, w.WriteHeader(&tar.Header{Name: name, Mode: f.mode, Size: int64(len(f.content))}))
		_, err := w.Write(f.content)
		must(t, err)
	}
	must(t, w.Close())
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	must(t, err)
	return l
}

func (s images) Manifest(_ context.Context, _, digest string) ([]byte, string, error) {
	if s[digest] == nil {
		return nil, "", fs.ErrNotExist
	}
	body, err := s[digest].RawManifest()
	if err != nil {
		return nil, "", err
	}
	media, err := s[digest].MediaType()
	return body, string(media), err
}

func (s images) Blob(_ context.Context, _, digest string) (io.ReadCloser, error) {
	hash, err := v1.NewHash(digest)
	if err != nil {
		return nil, err
	}
	for _, img := range s {
		if name, err := img.ConfigName(); err == nil && name == hash {
			raw, err := img.RawConfigFile()
			return io.NopCloser(bytes.NewReader(raw)), err
		}
		if l, err := img.LayerByDigest(hash); err == nil {
			return l.Compressed()
		}
	}
	return nil, io.ErrUnexpectedEOF
}
