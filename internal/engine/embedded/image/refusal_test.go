//go:build linux

package image

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
)

func TestImagesThatCannotRunAreRefusedWithASentence(t *testing.T) {
	good := layerOf(file("app", "hello"))
	here := "linux/" + runtime.GOARCH
	type image = func(*source) engine.Image
	pushed := func(edit func(*v1.Manifest, *v1.ConfigFile), layers ...packed) image {
		return func(s *source) engine.Image { return s.push(repository, layers, edit) }
	}
	for _, c := range []struct {
		name  string
		image image
		want  string
	}{
		{
			"another architecture", pushed(func(_ *v1.Manifest, c *v1.ConfigFile) { c.Architecture = "s390x" }, good),
			"the image is made for linux/s390x and this machine is " + here + "; build it with `docker build --platform " + here + "`",
		},
		{
			"an index without this machine", func(s *source) engine.Image {
				digest := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
				return s.pushManifest(repository, v1.IndexManifest{Manifests: []v1.Descriptor{
					{MediaType: types.OCIManifestSchema1, Digest: digest, Platform: &v1.Platform{OS: "windows", Architecture: "amd64"}},
					{MediaType: types.OCIManifestSchema1, Digest: digest, Platform: &v1.Platform{OS: "linux", Architecture: "s390x"}},
				}}, string(types.OCIImageIndex))
			},
			"the image is made for linux/s390x, windows/amd64 and this machine is " + here + "; build it with `docker build --platform " + here + "`",
		},
		{
			"no layers", pushed(func(*v1.Manifest, *v1.ConfigFile) {}),
			"the image cannot run: it has no layers, so there is no file in it; build it with at least one COPY or ADD",
		},
		{
			"no image", pushed(func(m *v1.Manifest, _ *v1.ConfigFile) {
				m.Config.MediaType = "application/vnd.cncf.helm.config.v1+json"
			}, good),
			`the image cannot run: its configuration has the type "application/vnd.cncf.helm.config.v1+json", which is no container image`,
		},
		{
			"an old manifest", func(s *source) engine.Image {
				return s.pushManifest(repository, struct{}{}, string(types.DockerManifestSchema1))
			},
			`the image cannot run: its manifest has the type "application/vnd.docker.distribution.manifest.v1+json", which is no container image`,
		},
		{
			"a layer of another kind", pushed(func(m *v1.Manifest, _ *v1.ConfigFile) { m.Layers[0].MediaType = types.DockerForeignLayer }, good),
			`the image cannot run: one of its layers has the type "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", which cannot be unpacked here`,
		},
		{
			"layers that the configuration does not know", pushed(func(_ *v1.Manifest, c *v1.ConfigFile) { c.RootFS.DiffIDs = nil }, good),
			"the image cannot run: its manifest lists 1 layers and its configuration 0",
		},
		{
			"a digest of another kind", func(*source) engine.Image { return engine.Image{Repository: repository, Digest: "latest"} },
			`"latest" is no image digest: an image digest is sha256: and 64 hexadecimal digits, as ` + "`docker push` prints it",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := newSource()
			s := openStore(t, src)
			i := c.image(src)
			err := s.Prepare(t.Context(), i)
			var refusal *host.ImageError
			if !errors.As(err, &refusal) {
				t.Fatalf("got %v, want an image error", err)
			}
			if refusal.Reason != c.want {
				t.Errorf("got\n%s\nwant\n%s", refusal.Reason, c.want)
			}
			mustBeEmpty(t, s)
		})
	}
}

func TestLayersThatAreNotWhatTheImageSaysAreRefused(t *testing.T) {
	noArchive := compressed([]byte(strings.Repeat("this is no archive ", 100)), "none")
	otherFiles := layerOf(file("app", "hello"))
	otherFiles.diffID = hashOf([]byte("other"))
	cut := layerOf(file("app", "hello"))
	cut.blob = cut.blob[:len(cut.blob)-9]
	for name, bad := range map[string]packed{"no archive": noArchive, "other files": otherFiles, "a cut stream": cut} {
		t.Run(name, func(t *testing.T) {
			src := newSource()
			s := openStore(t, src)
			err := s.Prepare(t.Context(), src.push(repository, []packed{bad}))
			var refusal *host.ImageError
			if !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, hashOf(bad.blob).String()) {
				t.Errorf("got %v, want an image error that names the layer", err)
			}
			mustBeEmpty(t, s)
		})
	}
}

// What the registry gets wrong is not the image's fault: it may be right the next time.
func TestFaultsOfTheSourceAreNotTheImages(t *testing.T) {
	broken := errors.New("connection reset")
	layer := layerOf(file("app", strings.Repeat("hello", 1000)))
	for name, c := range map[string]struct {
		blob func() (readerFunc, error)
		want string
	}{
		"no answer": {func() (readerFunc, error) { return nil, broken }, "connection reset"},
		"an interruption": {func() (readerFunc, error) {
			r := bytes.NewReader(layer.blob[:20])
			return func(p []byte) (int, error) {
				if r.Len() == 0 {
					return 0, broken
				}
				return r.Read(p)
			}, nil
		}, "connection reset"},
		"other content": {func() (readerFunc, error) { return bytes.NewReader(layerOf(file("app", "evil")).blob).Read, nil }, "instead of"},
		"more content":  {func() (readerFunc, error) { return bytes.NewReader(append(bytes.Clone(layer.blob), 'x')).Read, nil }, "instead of"},
		"less content":  {func() (readerFunc, error) { return bytes.NewReader(layer.blob[:50]).Read, nil }, "instead of"},
	} {
		t.Run(name, func(t *testing.T) {
			src := newSource()
			s := openStore(t, src)
			i := src.push(repository, []packed{layer})
			bad := src.layerDigest(i)
			src.setOpen(func(digest string) (readerFunc, error) {
				if digest != bad {
					return nil, nil
				}
				return c.blob()
			})
			err := s.Prepare(t.Context(), i)
			var refusal *host.ImageError
			if err == nil || errors.As(err, &refusal) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error of the source: %s", err, c.want)
			}
			mustBeEmpty(t, s)
			src.setOpen(nil)
			if err := s.Prepare(t.Context(), i); err != nil {
				t.Errorf("the next time: %v", err)
			}
		})
	}
}

func TestBombsAreStopped(t *testing.T) {
	const limit = 8 << 20
	var many []tar.Header
	for n := range 200 {
		many = append(many, file(fmt.Sprint(n), ""))
	}
	half := layerOf(file("half", strings.Repeat("x", limit/2+1)))
	other := layerOf(file("other", strings.Repeat("y", limit/2+1)))
	for name, c := range map[string]struct {
		layers []packed
		want   string
	}{
		"one large file":     {[]packed{compressed(zeros(limit+1), "gzip")}, "more than 8 MiB"},
		"two layers":         {[]packed{half, other}, "more than 8 MiB"},
		"a hole in a file":   {[]packed{compressed(sparse(1<<40), "gzip")}, "more than 8 MiB"},
		"many files":         {[]packed{layerOf(many...)}, "more than 100 files"},
		"a stream of spaces": {[]packed{bomb(limit + streamOverhead + 1<<20)}, "more than 8 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			src := newSource()
			s := openStore(t, src, func(c *Config) { c.MaxUnpackedBytes, c.MaxEntries = limit, 100 })
			err := s.Prepare(t.Context(), src.push(repository, c.layers))
			var refusal *host.ImageError
			if !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, c.want) {
				t.Errorf("got %v, want an image error with %q", err, c.want)
			}
			if _, err := s.Mount(t.Context(), src.push(repository, c.layers), "c1"); err == nil {
				t.Error("it can be mounted nevertheless")
			}
			if len(c.layers) == 1 {
				mustBeEmpty(t, s)
			}
		})
	}
}

func TestAFullDiskIsSaidAndLeavesNothing(t *testing.T) {
	disk := t.TempDir()
	needRoot(t)
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(unmountAll(disk)) })
	src := newSource()
	s := openStore(t, src, func(c *Config) { c.Dir = disk + "/images" })
	content := make([]byte, 8<<20)
	rand.Read(content)
	base := layerOf(file("small", "x"))
	err := s.Prepare(t.Context(), src.push(repository, []packed{layerOf(file("large", string(content)))}))
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "no space left on the disk") {
		t.Errorf("got %v, want a sentence about the disk that wraps ENOSPC", err)
	}
	mustBeEmpty(t, s)
	err = s.Prepare(t.Context(), src.push(repository, []packed{base, layerOf(file("large", string(content)))}))
	if !errors.Is(err, unix.ENOSPC) {
		t.Errorf("upon another layer: %v", err)
	}
	mount(t, s, src.push(repository, []packed{base, layerOf(file("fits", "x"))}), "c1")
	if left, err := os.ReadDir(s.tmpDir()); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

func zeros(n int) []byte { return archiveOf(file("zeros", strings.Repeat("\x00", n))) }

// sparse is an archive of a file that is one hole: the map of its data says that there is none.
func sparse(size int64) []byte {
	h := file("hole", fmt.Sprintf("%-512s", "0\n"))
	h.PAXRecords = map[string]string{"XNU.sparse.major": "1", "XNU.sparse.minor": "0", "XNU.sparse.realsize": fmt.Sprint(size)}
	// The library refuses to write the true names.
	return bytes.ReplaceAll(archiveOf(h), []byte("XNU.sparse"), []byte("GNU.sparse"))
}

// bomb is a small blob that unpacks to an archive of that many bytes behind its end.
func bomb(n int) packed {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	must(err)
	chunk := make([]byte, 1<<20)
	for ; n > 0; n -= len(chunk) {
		_, err := z.Write(chunk)
		must(err)
	}
	must(z.Close())
	return packed{blob: b.Bytes(), diffID: hashOf(nil), mediaType: types.OCILayer}
}
