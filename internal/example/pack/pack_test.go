package main

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestALayoutHasEveryVersionUnderItsTag(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hello")
	if err := pack(path, false); err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(path)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	digests := map[v1.Hash]bool{}
	for _, d := range manifest.Manifests {
		tags = append(tags, d.Annotations["org.opencontainers.image.ref.name"])
		digests[d.Digest] = true
	}
	if want := []string{"1.0", "1.1", "1.2", "1.3"}; !slices.Equal(tags, want) || len(digests) != len(want) {
		t.Errorf("tags %v, %d digests", tags, len(digests))
	}
}

func TestAnArchiveHasTheNamesThatDockerShows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hello.tar")
	if err := pack(path, true); err != nil {
		t.Fatal(err)
	}
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(path) })
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range manifest {
		names = append(names, d.RepoTags...)
	}
	slices.Sort(names)
	if want := []string{"hello:1.0", "hello:1.1", "hello:1.2", "hello:1.3"}; !slices.Equal(names, want) {
		t.Errorf("names %v", names)
	}
}

func TestAnImageHasOneFileAndNoTime(t *testing.T) {
	one, err := image([]byte("program"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := image([]byte("program"))
	if err != nil {
		t.Fatal(err)
	}
	if digest(t, one) != digest(t, two) {
		t.Error("the same program gives different images")
	}
	files := tar.NewReader(mutate.Extract(one))
	header, err := files.Next()
	if err != nil || header.Name != "hello" || header.Mode != 0o755 {
		t.Errorf("first file %+v, %v", header, err)
	}
	if _, err := files.Next(); err != io.EOF {
		t.Errorf("there is more: %v", err)
	}
}

func digest(t *testing.T, i v1.Image) v1.Hash {
	t.Helper()
	d, err := i.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}
