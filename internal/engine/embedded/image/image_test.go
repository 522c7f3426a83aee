//go:build linux

package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
)

func TestAMountShowsWhatTheLayersMakeOfEachOther(t *testing.T) {
	src := newSource()
	base := layerOf(
		dir("etc", 0o750), file("etc/a", "one"), file("etc/gone", "x"),
		dir("old", 0o755), file("old/1", "x"), file("old/2", "x"),
		dir("closed", 0o700), file("closed/key", "k"),
	)
	top := layerOf(
		file("etc/a", "two"), file("etc/.wh.gone", ""),
		file("old/.wh..wh..opq", ""), file("old/3", "new"),
		tar.Header{Name: "etc/b", Typeflag: tar.TypeLink, Linkname: "closed/key"},
	)
	s := openStore(t, src)
	i := src.push(repository, []packed{base, top})
	r := mount(t, s, i, "c1")
	const want = `/closed drwx------
/closed/key -rwxr-xr-x k
/etc drwxr-x---
/etc/a -rwxr-xr-x two
/etc/b -rwxr-xr-x k
/old drwxr-xr-x
/old/3 -rwxr-xr-x new
`
	if got := tree(t, r.Path); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if a, b := inode(t, r.Path+"/closed/key"), inode(t, r.Path+"/etc/b"); a != b {
		t.Errorf("a hard link into a lower layer became another file: %d and %d", a, b)
	}
	if !slices.Equal(r.Config.Config.Cmd, []string{"/app"}) || r.Digest != i.Digest {
		t.Errorf("configuration %v, digest %s", r.Config.Config, r.Digest)
	}
	if info, err := os.Stat(r.Path); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the root is %v %v, want one that every user can enter", info.Mode(), err)
	}
}

func TestEveryCompressionIsUnpacked(t *testing.T) {
	archive := archiveOf(file("app", "hello"))
	for _, how := range []string{"gzip", "zstd", "none"} {
		t.Run(how, func(t *testing.T) {
			src := newSource()
			s := openStore(t, src)
			r := mount(t, s, src.push(repository, []packed{compressed(archive, how)}), "c1")
			if got := tree(t, r.Path); got != "/app -rwxr-xr-x hello\n" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestContainersDoNotSeeEachOthersWrites(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	i := src.push(repository, []packed{layerOf(file("app", "hello"))})
	one, two := mount(t, s, i, "c1"), mount(t, s, i, "c2")
	if err := os.WriteFile(one.Path+"/app", []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, two.Path); got != "/app -rwxr-xr-x hello\n" {
		t.Errorf("c2 sees %q", got)
	}
	if again := mount(t, s, i, "c1"); tree(t, again.Path) != "/app -rwxr-xr-x changed\n" {
		t.Error("a second Mount of c1 lost what it wrote")
	}
	other := src.push(repository, []packed{layerOf(file("app", "other"))})
	if _, err := s.Mount(t.Context(), other, "c1"); err == nil {
		t.Error("c1 was given another image while it has one")
	}
}

func TestALayerIsFetchedOnceHoweverManyWantIt(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	base := layerOf(file("base", strings.Repeat("x", 1<<20)))
	one := src.push(repository, []packed{base, layerOf(file("one", "1"))})
	two := src.push("demo/shop/live/api", []packed{base, layerOf(file("two", "2"))})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			i := one
			if n%2 == 0 {
				i = two
			}
			if _, err := s.Mount(t.Context(), i, fmt.Sprint("c", n)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := src.fetched[hashOf(base.blob).String()]; n != 1 {
		t.Errorf("the base layer was fetched %d times", n)
	}
	layers, err := os.ReadDir(s.layersDir())
	if err != nil || len(layers) != 3 {
		t.Errorf("%d layers are unpacked (%v), want 3", len(layers), err)
	}
}

func TestWhoeverGivesUpLeavesTheWorkToOthers(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	i := src.push(repository, []packed{layerOf(file("app", "hello"))})
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	var once sync.Once
	layer := src.layerDigest(i)
	src.open = func(c context.Context, digest string) (r readerFunc, err error) {
		if digest != layer {
			return nil, nil
		}
		first := false
		once.Do(func() { first = true })
		if !first {
			return nil, nil
		}
		close(started)
		return func([]byte) (int, error) { <-c.Done(); return 0, c.Err() }, nil
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Prepare(ctx, i); !errors.Is(err, context.Canceled) {
			t.Errorf("the first got %v", err)
		}
	})
	<-started
	wg.Go(func() {
		if err := s.Prepare(t.Context(), i); err != nil {
			t.Errorf("the second got %v", err)
		}
	})
	cancel()
	wg.Wait()
}

func TestMoreLayersThanFitAPageAreMounted(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	var layers []packed
	for n := range 120 {
		layers = append(layers, layerOf(file(fmt.Sprintf("f%03d", n), "x")))
	}
	i := src.push(repository, layers)
	r := mount(t, s, i, "c1")
	if got := strings.Count(tree(t, r.Path), "\n"); got != 120 {
		t.Errorf("%d files, want 120", got)
	}
	// As on kernels that cannot take layers one by one.
	rec, _ := s.prepared(i)
	defer s.unpin(rec.Layers)
	tmp := t.TempDir()
	o := overlay{lower: s.lowerDirs(rec.Layers), upper: tmp + "/upper", work: tmp + "/work", target: tmp + "/rootfs"}
	for _, d := range []string{o.upper, o.work, o.target} {
		if err := makeDir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.mountByOptions(true); err != nil {
		t.Fatal(err)
	}
	defer unmountAll(o.target)
	if got := strings.Count(tree(t, o.target), "\n"); got != 120 {
		t.Errorf("%d files by a classic mount, want 120", got)
	}
}

func TestAnIndexLeadsToTheImageOfThisMachine(t *testing.T) {
	src := newSource()
	s := openStore(t, src, func(c *Config) { c.Platform = v1.Platform{OS: "linux", Architecture: "arm64"} })
	var index v1.IndexManifest
	for _, p := range []v1.Platform{
		{OS: "unknown", Architecture: "unknown"},
		{OS: "linux", Architecture: "amd64"},
		{OS: "linux", Architecture: "arm64", Variant: "v8"},
		{OS: "windows", Architecture: "arm64"},
	} {
		i := src.push(repository, []packed{layerOf(file(p.String(), "x"))}, func(_ *v1.Manifest, c *v1.ConfigFile) { c.OS, c.Architecture = p.OS, p.Architecture })
		h, err := v1.NewHash(i.Digest)
		must(err)
		index.Manifests = append(index.Manifests, v1.Descriptor{MediaType: types.OCIManifestSchema1, Digest: h, Platform: &p})
	}
	for _, mediaType := range []types.MediaType{types.OCIImageIndex, types.DockerManifestList} {
		index.MediaType = mediaType
		r := mount(t, s, src.pushManifest(repository, index, string(mediaType)), "c"+fmt.Sprint(len(mediaType)))
		if r.Digest != index.Manifests[2].Digest.String() {
			t.Errorf("%s leads to %s", mediaType, r.Digest)
		}
	}
}

func TestUnmountLeavesNothingHoweverOften(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	i := src.push(repository, []packed{layerOf(file("app", "hello"))})
	r := mount(t, s, i, "c1")
	mount(t, s, i, "c2")
	busy, err := os.Open(r.Path + "/app") // somebody still looks at it
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for range 2 {
		if err := s.Unmount(t.Context(), "c1"); err != nil {
			t.Fatal(err)
		}
	}
	if ids, err := s.Mounts(t.Context()); err != nil || !slices.Equal(ids, []string{"c2"}) {
		t.Errorf("mounts %v %v, want c2", ids, err)
	}
	if err := s.Unmount(t.Context(), "../layers"); err == nil {
		t.Error("an id that leads elsewhere is taken")
	}
}

func TestARestartNeedsNoSource(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	i := src.push(repository, []packed{layerOf(file("app", "hello"))})
	before := mount(t, s, i, "c1")
	s.Close()

	again := openStore(t, newSource(), func(c *Config) { c.Dir = s.cfg.Dir })
	if err := again.Prepare(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, before.Path); got != "/app -rwxr-xr-x hello\n" {
		t.Errorf("the mount of the running container shows %q", got)
	}
	r := mount(t, again, i, "c2")
	if got := tree(t, r.Path); got != "/app -rwxr-xr-x hello\n" || !slices.Equal(r.Config.Config.Cmd, []string{"/app"}) {
		t.Errorf("got %q, configuration %v", got, r.Config.Config)
	}
}

func TestWhatACrashLeftIsRemoved(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	i := src.push(repository, []packed{layerOf(file("app", "hello"))})
	if err := s.Prepare(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	rec, _ := s.prepared(i)
	half := filepath.Join(s.tmpDir(), "layer-1")
	must(os.Mkdir(half, 0o700))
	o := overlay{lower: s.lowerDirs(rec.Layers), upper: half + "/fs", work: half + "/work", target: half + "/merged"}
	if err := o.mount(); err != nil {
		t.Fatal(err)
	}
	must(os.WriteFile(filepath.Join(s.tmpDir(), "json-1"), []byte("{"), 0o600))
	s.Close()
	again := openStore(t, src, func(c *Config) { c.Dir = s.cfg.Dir })
	if left, err := os.ReadDir(again.tmpDir()); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
	if isMount(o.target) {
		t.Error("the half layer is still mounted")
	}
}

func TestLayersThatMayHaveLostDataAreFetchedAgain(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	lost := src.push(repository, []packed{layerOf(file("lost", "x"))})
	kept := src.push(repository, []packed{layerOf(file("kept", "x"))})
	if err := s.Prepare(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	s.flush.flush()
	if err := s.Prepare(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	s.Close()
	layers, err := os.ReadDir(s.layersDir())
	must(err)
	for _, l := range layers { // the machine has been started anew
		m, err := s.readLayer(l.Name())
		must(err)
		m.BootID = "another"
		must(replaceJSON(s.tmpDir(), filepath.Join(s.layerDir(l.Name()), "layer.json"), m))
	}
	again := openStore(t, src, func(c *Config) { c.Dir = s.cfg.Dir })
	for _, i := range []engine.Image{lost, kept} {
		if err := again.Prepare(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	if n := src.fetched[src.layerDigest(kept)]; n != 1 {
		t.Errorf("the layer on the disk was fetched %d times", n)
	}
	if n := src.fetched[src.layerDigest(lost)]; n != 2 {
		t.Errorf("the layer that may be lost was fetched %d times", n)
	}
}

func TestAMountThatARebootLeftStartsAfresh(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	i := src.push(repository, []packed{layerOf(file("app", "hello"))})
	r := mount(t, s, i, "c1")
	must(os.WriteFile(r.Path+"/written", nil, 0o600))
	must(unmountAll(r.Path))
	r = mount(t, s, i, "c1")
	if got := tree(t, r.Path); got != "/app -rwxr-xr-x hello\n" {
		t.Errorf("got %q", got)
	}
}

func TestLayersGoWithTheLastThatNeedsThem(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	base := layerOf(file("base", "x"))
	web := src.push("demo/shop/live/web", []packed{base, layerOf(file("web", "x"))})
	api := src.push("demo/shop/live/api", []packed{base, layerOf(file("api", "x"))})
	other := src.push("demo/shop/live2/web", []packed{base, layerOf(file("other", "x"))})
	must(s.Prepare(t.Context(), api))
	must(s.Prepare(t.Context(), other))
	r := mount(t, s, web, "c1")
	count := func(want int, when string) {
		t.Helper()
		if layers, err := os.ReadDir(s.layersDir()); err != nil || len(layers) != want {
			t.Errorf("%s: %d layers (%v), want %d", when, len(layers), err, want)
		}
	}
	remove := func(prefix string, inUse func(engine.Image) bool) {
		t.Helper()
		if err := s.RemoveRepository(t.Context(), prefix, inUse); err != nil {
			t.Fatal(err)
		}
	}
	count(4, "all prepared")
	remove("demo/shop/live", func(i engine.Image) bool { return i == api })
	count(4, "api in use, web mounted")
	remove("demo/shop/live", nil)
	count(3, "web mounted")
	if got := tree(t, r.Path); !strings.Contains(got, "/web") || !strings.Contains(got, "/base") {
		t.Errorf("the mount has lost files: %q", got)
	}
	must(s.Unmount(t.Context(), "c1"))
	remove("demo/shop/live", nil)
	count(2, "only the other stage's image")
	must(s.Prepare(t.Context(), web))
	must(s.RemoveImage(t.Context(), engine.Image{Repository: other.Repository, Digest: web.Digest}, nil))
	must(s.RemoveImage(t.Context(), web, func(i engine.Image) bool { return i == web }))
	count(3, "web in use, and another repository's was meant")
	must(s.RemoveImage(t.Context(), web, nil))
	count(2, "web removed by itself")
	remove("demo/shop/live2", nil)
	mustBeEmpty(t, s)
	if err := s.Prepare(t.Context(), web); err != nil {
		t.Errorf("an image cannot come back: %v", err)
	}
}

func TestEntriesThatWouldChangeOverlaysAreLeftOut(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	bottom := layerOf(
		file("kept", "x"),
		tar.Header{Name: "fake", Typeflag: tar.TypeChar, Mode: 0o600},
		tar.Header{Name: "d/", Typeflag: tar.TypeDir, PAXRecords: map[string]string{"SCHILY.xattr.trusted.overlay.redirect": "/etc"}},
	)
	r := mount(t, s, src.push(repository, []packed{bottom}), "c1")
	if got := tree(t, r.Path); got != "/d drwxr-xr-x\n/kept -rwxr-xr-x x\n" {
		t.Errorf("got %q", got)
	}
	lower := filepath.Join(s.layersDir(), bottom.diffID.Hex, "fs", "d")
	if n, err := unix.Lgetxattr(lower, "trusted.overlay.redirect", nil); err == nil {
		t.Errorf("the image set an attribute of overlayfs, %d bytes", n)
	}
}

func TestArchivesCannotLeaveTheirRoot(t *testing.T) {
	src := newSource()
	s := openStore(t, src)
	outside := filepath.Join(t.TempDir(), "outside")
	r := mount(t, s, src.push(repository, []packed{layerOf(
		tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: filepath.Dir(outside)},
		file("link/outside", "x"),
		file("../../../../up", "x"),
	)}), "c1")
	if _, err := os.Lstat(outside); err == nil {
		t.Error("a layer wrote through a link out of its root")
	}
	if _, err := os.Stat(r.Path + "/up"); err != nil {
		t.Errorf("a path that climbs ends at the root: %v", err)
	}
}

func TestAFileSystemThatCannotHoldImagesIsNamed(t *testing.T) {
	needRoot(t)
	if missing := Check(t.TempDir()); len(missing) > 0 {
		t.Errorf("this machine lacks %q", missing)
	}
	if missing := Check("/proc"); len(missing) != 1 || !strings.HasPrefix(missing[0], "Images cannot be unpacked: ") {
		t.Errorf("got %q", missing)
	}
	src := newSource()
	s := openStore(t, src)
	r := mount(t, s, src.push(repository, []packed{layerOf(file("app", "x"))}), "c1")
	// An overlay upon an overlay is what a server in a container would have.
	missing := Check(r.Path)
	if len(missing) != 1 || !strings.Contains(missing[0], "use a data directory on ext4 or xfs") {
		t.Errorf("got %q", missing)
	}
	if left, err := filepath.Glob(r.Path + "/check-*"); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}
