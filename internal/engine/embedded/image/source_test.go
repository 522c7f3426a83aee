//go:build linux

package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
)

// source is a registry in memory.
type source struct {
	mu        sync.Mutex
	manifests map[string]manifest
	blobs     map[string][]byte
	fetched   map[string]int                                               // how often a blob was asked for
	open      func(ctx context.Context, digest string) (readerFunc, error) // instead of what blobs has, where not nil
}

type manifest struct {
	body      []byte
	mediaType string
}

func newSource() *source {
	return &source{manifests: map[string]manifest{}, blobs: map[string][]byte{}, fetched: map[string]int{}}
}

func (s *source) Manifest(_ context.Context, _, digest string) ([]byte, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.manifests[digest]
	if !ok {
		return nil, "", fmt.Errorf("manifest %s: %w", digest, os.ErrNotExist)
	}
	return m.body, m.mediaType, nil
}

func (s *source) Blob(ctx context.Context, _, digest string) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetched[digest]++
	if s.open != nil {
		r, err := s.open(ctx, digest)
		if r != nil || err != nil {
			return io.NopCloser(r), err
		}
	}
	b, ok := s.blobs[digest]
	if !ok {
		return nil, fmt.Errorf("blob %s: %w", digest, os.ErrNotExist)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// packed is a layer as a registry has it.
type packed struct {
	blob      []byte
	diffID    v1.Hash
	mediaType types.MediaType
}

func hashOf(b []byte) v1.Hash {
	h, _, err := v1.SHA256(bytes.NewReader(b))
	if err != nil {
		panic(err)
	}
	return h
}

// layerOf packs entries into a layer. The name of an entry without type says it: "dir/", or a file.
func layerOf(entries ...tar.Header) packed { return compressed(archiveOf(entries...), "gzip") }

func archiveOf(entries ...tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range entries {
		content := h.Linkname
		if h.Typeflag == 0 && strings.HasSuffix(h.Name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if h.Typeflag == 0 {
			h.Typeflag, h.Size, h.Linkname = tar.TypeReg, int64(len(content)), ""
		}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		must(w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, err := io.WriteString(w, content)
			must(err)
		}
	}
	must(w.Close())
	return b.Bytes()
}

func file(name, content string) tar.Header { return tar.Header{Name: name, Linkname: content} }
func dir(name string, mode int64) tar.Header {
	return tar.Header{Name: name + "/", Mode: mode, Typeflag: tar.TypeDir}
}

func compressed(archive []byte, how string) packed {
	p := packed{diffID: hashOf(archive), mediaType: types.OCILayer}
	var b bytes.Buffer
	switch how {
	case "gzip":
		z := gzip.NewWriter(&b)
		_, err := z.Write(archive)
		must(err)
		must(z.Close())
	case "zstd":
		p.mediaType = types.OCILayerZStd
		z, err := zstd.NewWriter(&b)
		must(err)
		_, err = z.Write(archive)
		must(err)
		must(z.Close())
	default:
		p.mediaType = types.OCIUncompressedLayer
		b.Write(archive)
	}
	p.blob = b.Bytes()
	return p
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// push makes an image of the layers for this machine, changed by edit.
func (s *source) push(repository string, layers []packed, edit ...func(*v1.Manifest, *v1.ConfigFile)) engine.Image {
	c := v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, Config: v1.Config{Cmd: []string{"/app"}}}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	for _, l := range layers {
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, l.diffID)
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: l.mediaType, Digest: s.put(l.blob), Size: int64(len(l.blob))})
	}
	m.Config.MediaType = types.OCIConfigJSON
	for _, e := range edit {
		e(&m, &c)
	}
	b, err := json.Marshal(c)
	must(err)
	m.Config.Digest, m.Config.Size = s.put(b), int64(len(b))
	return s.pushManifest(repository, m, string(m.MediaType))
}

func (s *source) pushManifest(repository string, m any, mediaType string) engine.Image {
	b, err := json.Marshal(m)
	must(err)
	digest := hashOf(b).String()
	s.manifests[digest] = manifest{b, mediaType}
	return engine.Image{Repository: repository, Digest: digest}
}

func (s *source) put(b []byte) v1.Hash {
	h := hashOf(b)
	s.blobs[h.String()] = b
	return h
}

const repository = "demo/shop/live/web"

func openStore(t *testing.T, s engine.ImageSource, edit ...func(*Config)) *Store {
	t.Helper()
	needRoot(t)
	cfg := Config{Dir: filepath.Join(t.TempDir(), "images"), Source: s}
	for _, e := range edit {
		e(&cfg)
	}
	store, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ids, err := store.Mounts(context.Background())
		if err != nil {
			t.Error(err)
		}
		for _, id := range ids {
			if err := store.Unmount(context.Background(), id); err != nil {
				t.Error(err)
			}
		}
		store.Close()
	})
	return store
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("SETOPS_TEST_ALL") != "" {
		t.Fatal("overlay mounts need root")
	}
	t.Skip("overlay mounts need root")
}

func mount(t *testing.T, s *Store, i engine.Image, id string) Rootfs {
	t.Helper()
	r, err := s.Mount(t.Context(), i, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tree is what a root file system holds: name, permissions and content, sorted.
func tree(t *testing.T, root string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content := ""
		if info.Mode().IsRegular() {
			c, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = " " + string(c)
		}
		fmt.Fprintf(&b, "%s %s%s\n", strings.TrimPrefix(path, root), info.Mode(), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// mustBeEmpty reports what a failure left behind.
func mustBeEmpty(t *testing.T, s *Store) {
	t.Helper()
	for _, d := range []string{s.tmpDir(), s.layersDir(), s.imagesDir(), s.mountsDir()} {
		entries, err := os.ReadDir(d)
		if err != nil || len(entries) > 0 {
			t.Errorf("left in %s: %v %v", filepath.Base(d), entries, err)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), s.cfg.Dir+"/") {
		t.Errorf("mounts are left: %v", err)
	}
	if len(s.pins) > 0 {
		t.Errorf("layers are still pinned: %v", s.pins)
	}
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// layerDigest is that of the image's lowest layer.
func (s *source) layerDigest(i engine.Image) string {
	var m v1.Manifest
	must(json.Unmarshal(s.manifests[i.Digest].body, &m))
	return m.Layers[0].Digest.String()
}

func (s *source) setOpen(open func(digest string) (readerFunc, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = nil
	if open != nil {
		s.open = func(_ context.Context, digest string) (readerFunc, error) { return open(digest) }
	}
}
