package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

var amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// made makes an image of layers, for a platform.
func made(t *testing.T, platform string, layers int64) v1.Image {
	t.Helper()
	image, err := random.Image(1024, layers)
	must(t, err)
	return onPlatform(t, image, platform)
}

func onPlatform(t *testing.T, image v1.Image, platform string) v1.Image {
	t.Helper()
	config, err := image.ConfigFile()
	must(t, err)
	config = config.DeepCopy()
	p, err := v1.ParsePlatform(platform)
	must(t, err)
	config.OS, config.Architecture, config.Variant = p.OS, p.Architecture, p.Variant
	image, err = mutate.ConfigFile(image, config)
	must(t, err)
	return image
}

func digestOf(t *testing.T, image v1.Image) string {
	t.Helper()
	d, err := image.Digest()
	must(t, err)
	return d.String()
}

// laidOut writes images into an OCI layout, each with its name.
func laidOut(t *testing.T, images map[string]v1.Image) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "oci")
	path, err := layout.Write(dir, empty.Index)
	must(t, err)
	for called, image := range images {
		var options []layout.Option
		if called != "" {
			options = append(options, layout.WithAnnotations(map[string]string{refName: called}))
		}
		must(t, path.AppendImage(image, options...))
	}
	return dir
}

// packed makes an archive of a directory.
func packed(t *testing.T, dir string, zipped bool) string {
	t.Helper()
	var b bytes.Buffer
	var out io.WriteCloser = nopCloser{&b}
	if zipped {
		out = gzip.NewWriter(&b)
	}
	w := tar.NewWriter(out)
	must(t, w.AddFS(os.DirFS(dir)))
	must(t, w.Close())
	must(t, out.Close())
	path := filepath.Join(t.TempDir(), "image.tar")
	must(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func open(t *testing.T, argument string) (Opened, error) {
	t.Helper()
	found, err := Find(argument, Target{Host: "setops.example.com", Repository: "demo/shop/production/web"})
	must(t, err)
	if found.Source == nil {
		t.Fatalf("%s is %+v", argument, found)
	}
	o, err := found.Source.Open(t.Context(), amd64)
	if err == nil {
		t.Cleanup(func() { must(t, o.Close()) })
	}
	return o, err
}

func TestAnArgumentMeansWhatItLooksLike(t *testing.T) {
	t.Chdir(t.TempDir())
	digest := "sha256:" + strings.Repeat("a", 64)
	must(t, os.Mkdir("web", 0o755))
	must(t, os.WriteFile("image.tar", nil, 0o600))
	must(t, os.Mkdir("oci", 0o755))
	must(t, os.WriteFile("oci/index.json", nil, 0o600))
	target := Target{Host: "127.0.0.1:7700", Repository: "demo/shop/production/web", Clear: true}
	for argument, want := range map[string]string{
		digest:       "pushed " + digest,
		"v1.2.0":     "pushed v1.2.0",
		"web":        "pushed web", // the directory has no layout
		"oci":        "image.layoutDir oci",
		"./oci":      "image.layoutDir ./oci",
		"oci:1.0":    "image.layoutDir oci:1.0",
		"image.tar":  "image.archive image.tar",
		"web:latest": "image.inDocker web:latest of Docker",
		"acme/web":   "image.inDocker acme/web of Docker",
		"127.0.0.1:7700/demo/shop/production/web:v1":        "pushed v1",
		"127.0.0.1:7700/demo/shop/production/web@" + digest: "pushed " + digest,
		"127.0.0.1:7700/demo/shop/staging/web:v1":           "image.inRegistry 127.0.0.1:7700/demo/shop/staging/web:v1",
		"ghcr.io/acme/web:1.2":                              "image.inRegistry ghcr.io/acme/web:1.2",
		"localhost/web":                                     "image.inRegistry localhost/web",
		"docker-daemon:ghcr.io/acme/web:1.2":                "image.inDocker ghcr.io/acme/web:1.2 of Docker",
	} {
		found, err := Find(argument, target)
		got := "pushed " + found.Pushed
		if found.Source != nil {
			got = fmt.Sprintf("%T %s", found.Source, found.Source)
		}
		if err != nil || got != want {
			t.Errorf("%s is %s, %v, not %s", argument, got, err, want)
		}
	}
	for argument, want := range map[string]string{
		".": "--build-with-docker", "./nowhere": "there is no file", "gone.tar.gz": "there is no file", "Two Words": "nor the name of an image",
		"ghcr.io/UPPER": "no name of an image",
	} {
		if found, err := Find(argument, target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is %+v, %v", argument, found, err)
		}
	}
}

func TestFilesAreReadInEveryForm(t *testing.T) {
	image := made(t, "linux/amd64", 2)
	dir := laidOut(t, map[string]v1.Image{"1.0": image})
	saved := filepath.Join(t.TempDir(), "saved.tar")
	tag, err := name.NewTag("acme/web:1.0")
	must(t, err)
	must(t, tarball.WriteToFile(saved, tag, image))
	for _, path := range []string{dir, packed(t, dir, false), packed(t, dir, true), saved, dir + ":1.0", saved + ":1.0", saved + ":acme/web:1.0"} {
		o, err := open(t, path)
		if err != nil || o.Tag != "1.0" || digestOf(t, o) != digestOf(t, image) {
			t.Errorf("%s: tag %q, %v", path, o.Tag, err)
		}
	}
}

func TestOneOfSeveralImagesIsNamed(t *testing.T) {
	one, two := made(t, "linux/amd64", 1), made(t, "linux/amd64", 1)
	dir := laidOut(t, map[string]v1.Image{"1.0": one, "example.com/web:2.0": two})
	if _, err := open(t, dir); err == nil || !strings.Contains(err.Error(), "1.0, example.com/web:2.0; name one behind a colon") {
		t.Errorf("got %v", err)
	}
	if o, err := open(t, dir+":2.0"); err != nil || digestOf(t, o) != digestOf(t, two) || o.Tag != "2.0" {
		t.Errorf("got %v, %q", err, o.Tag)
	}
	if _, err := open(t, packed(t, dir, true)+":3.0"); err == nil || !strings.Contains(err.Error(), "no image 3.0, only 1.0, example.com/web:2.0") {
		t.Errorf("got %v", err)
	}
	saved := filepath.Join(t.TempDir(), "saved.tar")
	must(t, tarball.MultiWriteToFile(saved, map[name.Tag]v1.Image{tagged(t, "web:1"): one, tagged(t, "web:2"): two}))
	if _, err := open(t, saved); err == nil || !strings.Contains(err.Error(), "several images") {
		t.Errorf("got %v", err)
	}
	if o, err := open(t, saved+":2"); err != nil || digestOf(t, o) != digestOf(t, two) {
		t.Errorf("got %v", err)
	}
	if _, err := open(t, saved+":3"); err == nil || !strings.Contains(err.Error(), "no image 3") {
		t.Errorf("got %v", err)
	}
}

func tagged(t *testing.T, text string) name.Tag {
	t.Helper()
	tag, err := name.NewTag(text)
	must(t, err)
	return tag
}

// forPlatforms makes an index as docker buildx does, with an attestation beside the images.
func forPlatforms(t *testing.T, images map[string]v1.Image) v1.ImageIndex {
	t.Helper()
	index := v1.ImageIndex(empty.Index)
	for platform, image := range images {
		p, err := v1.ParsePlatform(platform)
		must(t, err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: p}})
	}
	return mutate.AppendManifests(index, mutate.IndexAddendum{
		Add: made(t, "unknown/unknown", 1), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}},
	})
}

func TestOfAnIndexTheServersPlatformIsTaken(t *testing.T) {
	plain := made(t, "linux/amd64", 1)
	index := forPlatforms(t, map[string]v1.Image{
		"linux/arm64": made(t, "linux/arm64", 1), "linux/amd64": plain, "linux/amd64/v3": made(t, "linux/amd64/v3", 1),
		"windows/amd64": made(t, "windows/amd64", 1),
	})
	dir := filepath.Join(t.TempDir(), "oci")
	path, err := layout.Write(dir, empty.Index)
	must(t, err)
	must(t, path.AppendIndex(index, layout.WithAnnotations(map[string]string{refName: "v7"})))
	o, err := open(t, dir)
	if err != nil || digestOf(t, o) != digestOf(t, plain) || o.Tag != "v7" {
		t.Errorf("got %v, tag %q", err, o.Tag)
	}
}

func TestAnImageForAnotherPlatformIsRefused(t *testing.T) {
	const want = "it is for linux/arm64, and the server runs linux/amd64; build it with --platform linux/amd64"
	other := made(t, "linux/arm64", 1)
	saved := filepath.Join(t.TempDir(), "saved.tar")
	must(t, tarball.WriteToFile(saved, tagged(t, "web:1"), other))
	for _, path := range []string{laidOut(t, map[string]v1.Image{"": other}), saved} {
		if _, err := open(t, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := open(t, laidOut(t, nil)); err == nil || !strings.Contains(err.Error(), "it has no image") {
		t.Errorf("got %v", err)
	}
}

func TestAnArchiveWritesNothingOutsideOfItsPlace(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, entry := range []string{"index.json", "../../outside", "/etc/outside"} {
		must(t, w.WriteHeader(&tar.Header{Name: entry, Typeflag: tar.TypeReg, Mode: 0o600, Size: 2}))
		_, err := w.Write([]byte("{}"))
		must(t, err)
	}
	must(t, w.Close())
	path := filepath.Join(t.TempDir(), "evil.tar")
	must(t, os.WriteFile(path, b.Bytes(), 0o600))
	if _, err := open(t, path); err == nil || !strings.Contains(err.Error(), "escapes") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoArchiveIsSaidToBeNone(t *testing.T) {
	for text, want := range map[string]string{"no archive": "as an archive", "": "has no image", "\x1f\x8bno": "as an archive"} {
		path := filepath.Join(t.TempDir(), "x.tar")
		must(t, os.WriteFile(path, []byte(text), 0o600))
		if _, err := open(t, path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// server is a registry that wants a token.
type server struct {
	*httptest.Server
}

func newServer(t *testing.T) *server {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sops_x" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="setops"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) target() Target {
	return Target{
		Host: strings.TrimPrefix(s.URL, "http://"), Repository: "demo/shop/production/web", Clear: true, Token: "sops_x",
		UserAgent: "setops/test", Transport: http.DefaultTransport,
	}
}

// line is the way to a registry of one push. What it refuses never comes to the registry, not even late, when the push has ended.
type line struct {
	refused string // method
	mu      sync.Mutex
	writes  []string // what was sent, without manifests
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.refused == r.Method {
		return &http.Response{
			StatusCode: http.StatusForbidden, Header: http.Header{}, Request: r,
			Body: io.NopCloser(strings.NewReader(`{"errors":[{"code":"DENIED","message":"there is no app web"}]}`)),
		}, nil
	}
	if r.Method == http.MethodPatch {
		l.mu.Lock()
		l.writes = append(l.writes, r.URL.Path)
		l.mu.Unlock()
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestAPushSendsWhatIsMissing(t *testing.T) {
	s := newServer(t)
	image := made(t, "linux/amd64", 3)
	var done, total int64
	progress := func(d, n int64) { done, total = d, n }
	p, err := Push(t.Context(), Opened{Image: image, Tag: "v1"}, s.target(), progress)
	if err != nil || p.Sent != 3 || p.There != 0 || p.Bytes < 3*1024 || done != total || total < p.Bytes {
		t.Errorf("%+v, %v, %d of %d", p, err, done, total)
	}
	// A second image on top of it sends one layer.
	layer, err := random.Layer(512, types.DockerLayer)
	must(t, err)
	more, err := mutate.AppendLayers(image, layer)
	must(t, err)
	if p, err = Push(t.Context(), Opened{Image: more}, s.target(), progress); err != nil || p.Sent != 1 || p.There != 3 {
		t.Errorf("%+v, %v", p, err)
	}
	for _, at := range []string{":v1", "@" + digestOf(t, more)} {
		ref, err := name.ParseReference(s.target().String() + at)
		must(t, err)
		if _, err := remote.Head(ref, s.target().options()...); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func TestAPushThatBrokeGoesOnWhereItWas(t *testing.T) {
	s := newServer(t)
	image := made(t, "linux/amd64", 3)
	broken := s.target()
	broken.Transport = &line{refused: http.MethodPut} // of the uploads' ends
	if _, err := Push(t.Context(), Opened{Image: image}, broken, func(int64, int64) {}); err == nil || !strings.Contains(err.Error(), "does not take it: there is no app web") {
		t.Errorf("got %v", err)
	}
	layers, err := image.Layers()
	must(t, err)
	repository, err := s.target().repository()
	must(t, err)
	must(t, remote.WriteLayer(repository, layers[1], s.target().options()...))
	whole, l := s.target(), &line{}
	whole.Transport = l
	p, err := Push(t.Context(), Opened{Image: image}, whole, func(int64, int64) {})
	if err != nil || p.Sent != 2 || p.There != 1 || len(l.writes) != 3 { // two layers and the configuration
		t.Errorf("%+v, %v, %v", p, err, l.writes)
	}
}

func TestAPushEndsWithItsContext(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Push(ctx, Opened{Image: made(t, "linux/amd64", 1)}, s.target(), func(int64, int64) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestImagesOfOtherRegistriesAreCopied(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	s := newServer(t)
	other := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(other.Close)
	host := strings.TrimPrefix(other.URL, "http://")
	image := made(t, "linux/amd64", 2)
	ref, err := name.ParseReference(host + "/acme/web:1.2")
	must(t, err)
	must(t, remote.WriteIndex(ref, forPlatforms(t, map[string]v1.Image{"linux/amd64": image, "linux/arm64": made(t, "linux/arm64", 1)})))
	found, err := Find(ref.String(), s.target())
	must(t, err)
	o, err := found.Source.Open(t.Context(), amd64)
	must(t, err)
	if o.Tag != "1.2" || digestOf(t, o) != digestOf(t, image) {
		t.Errorf("tag %q", o.Tag)
	}
	if p, err := Push(t.Context(), o, s.target(), func(int64, int64) {}); err != nil || p.Sent != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	found, err = Find(host+"/acme/nope", s.target())
	must(t, err)
	if _, err := found.Source.Open(t.Context(), amd64); err == nil || !strings.Contains(err.Error(), "docker-daemon:"+host+"/acme/nope") {
		t.Errorf("got %v", err)
	}
}

func TestAnImageOfAnotherAppIsTakenOver(t *testing.T) {
	s := newServer(t)
	image := made(t, "linux/amd64", 2)
	staging := s.target()
	staging.Repository = "demo/shop/staging/web"
	if _, err := Push(t.Context(), Opened{Image: image, Tag: "v3"}, staging, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	found, err := Find(staging.String()+":v3", s.target())
	must(t, err)
	o, err := found.Source.Open(t.Context(), amd64)
	must(t, err)
	if p, err := Push(t.Context(), o, s.target(), func(int64, int64) {}); err != nil || p.Sent != 0 || p.There != 2 || o.Tag != "v3" {
		t.Errorf("%+v, %v", p, err)
	}
}
