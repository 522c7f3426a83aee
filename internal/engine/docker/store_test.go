//go:build linux

package docker_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/setops"
)

// store is the registry of SetOps on a loopback address, as setopsd serves it.
type store struct {
	registry *registry.Registry
	address  string
	server   *http.Server
	served   chan struct{}
}

// One registry serves all tests: Docker keeps images by the address that they come from.
var shared struct {
	sync.Mutex
	*store
}

func openStore(t testing.TB) *store {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.store != nil {
		return shared.store
	}
	dir, err := os.MkdirTemp(built, "registry")
	must(t, err)
	r, err := registry.New(context.Background(), registry.Config{
		Dir: dir, Secret: []byte(strings.Repeat("k", 32)), Authenticator: doorman{}, Authorizer: doorman{},
	})
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/v2/", r)
	mux.Handle(registry.DefaultTokenPath, r.TokenHandler())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	s := &store{
		registry: r, address: l.Addr().String(), served: make(chan struct{}),
		server: &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute},
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(l)
	}()
	shared.store = s
	return s
}

func closeStore() {
	if s := shared.store; s != nil {
		s.server.Close()
		<-s.served
		s.registry.Close()
	}
}

func (s *store) credentials(context.Context) (user, password string, err error) {
	return "setopsd", "secret", nil
}

// doorman lets in who has the password, and nobody else.
type doorman struct{}

func (doorman) Authenticate(_ context.Context, username, password string) (registry.Identity, error) {
	if username != "setopsd" || password != "secret" {
		return registry.Identity{}, registry.ErrCredentials
	}
	return registry.Identity{User: username}, nil
}

func (doorman) AuthenticateToken(context.Context, string) (registry.Identity, error) {
	return registry.Identity{}, registry.ErrCredentials
}

func (doorman) Authorize(_ context.Context, who registry.Identity, _ string, _ registry.Action) error {
	if who.User != "setopsd" {
		return registry.Denied("sign in first")
	}
	return nil
}

type file struct {
	mode    int64
	content []byte
}

func imageConfig(entrypoint ...string) v1.Config { return v1.Config{Entrypoint: entrypoint} }

func testappFiles(t testing.TB) map[string]file {
	t.Helper()
	path, err := testapp()
	must(t, err)
	content, err := os.ReadFile(path)
	must(t, err)
	return map[string]file{"testapp": {0o755, content}, "readme": {0o644, []byte("hello")}}
}

// push puts an image of those files into the registry and gives its name.
func (s *store) push(t testing.TB, stage setops.StageRef, arch string, config v1.Config, files map[string]file) engine.Image {
	t.Helper()
	image := imageOf(t, arch, config, files)
	digest, err := image.Digest()
	must(t, err)
	i := engine.Image{Repository: engine.Repository(stage, "web"), Digest: digest.String()}
	s.write(t, i, func(ref name.Reference, o ...remote.Option) error { return remote.Write(ref, image, o...) })
	return i
}

// pushIndex puts an index of images there.
func (s *store) pushIndex(t testing.TB, stage setops.StageRef, images map[string]v1.Image) engine.Image {
	t.Helper()
	var index v1.ImageIndex = empty.Index
	for arch, image := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	digest, err := index.Digest()
	must(t, err)
	i := engine.Image{Repository: engine.Repository(stage, "web"), Digest: digest.String()}
	s.write(t, i, func(ref name.Reference, o ...remote.Option) error { return remote.WriteIndex(ref, index, o...) })
	return i
}

func (s *store) write(t testing.TB, i engine.Image, write func(name.Reference, ...remote.Option) error) {
	t.Helper()
	ref, err := name.NewDigest(s.address+"/"+i.Repository+"@"+i.Digest, name.Insecure)
	must(t, err)
	must(t, write(ref, remote.WithAuth(&authn.Basic{Username: "setopsd", Password: "secret"})))
}

func imageOf(t testing.TB, arch string, config v1.Config, files map[string]file) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	must(t, w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}))
	for path, f := range files {
		must(t, w.WriteHeader(&tar.Header{Name: path, Mode: f.mode, Size: int64(len(f.content))}))
		_, err := w.Write(f.content)
		must(t, err)
	}
	must(t, w.Close())
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	must(t, err)
	image, err := mutate.AppendLayers(empty.Image, l)
	must(t, err)
	cf, err := image.ConfigFile()
	must(t, err)
	cf = cf.DeepCopy()
	cf.OS, cf.Architecture, cf.Config = "linux", arch, config
	image, err = mutate.ConfigFile(image, cf)
	must(t, err)
	return image
}
