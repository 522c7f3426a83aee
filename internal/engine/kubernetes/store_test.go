package kubernetes_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
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
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
	"github.com/setopsco/setops/internal/pull"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/setops"
)

// store is the registry of SetOps at an address that nodes reach.
type store struct {
	registry *registry.Registry
	address  string
	*doorman
}

func openStore(t testing.TB) *store {
	t.Helper()
	address := clustertest.Registry(t)
	d := &doorman{stages: map[string]setops.StageRef{}}
	var err error
	d.passwords, err = pull.New([]byte(strings.Repeat("k", 32)), d.now)
	must(t, err)
	r, err := registry.New(t.Context(), registry.Config{
		Dir: t.TempDir(), Secret: []byte(strings.Repeat("k", 32)), Authenticator: d, Authorizer: d,
	})
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/v2/", r)
	mux.Handle(registry.DefaultTokenPath, r.TokenHandler())
	l, err := net.Listen("tcp", address)
	must(t, err)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
		must(t, r.Close())
	})
	return &store{r, address, d}
}

// doorman lets in who pushes, and nodes by the credentials of their stage, as the server does.
type doorman struct {
	passwords pull.Passwords

	mu      sync.Mutex
	shared  string // repository that all stages pull from; empty: each has its own
	stages  map[string]setops.StageRef
	elapsed time.Duration // how far its clock is ahead
}

const pusher = "pusher"

// callers is this machine as pods see it: where a cluster enforces policies, the engine is let in as a router outside of it is.
func (s *store) callers(t testing.TB) []string {
	t.Helper()
	address, err := netip.ParseAddrPort(s.address)
	must(t, err)
	return []string{netip.PrefixFrom(address.Addr(), address.Addr().BitLen()).String()}
}

func (d *doorman) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Add(d.elapsed)
}

// elapse lets time go by.
func (d *doorman) elapse(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.elapsed += by
}

func (d *doorman) credentials(s setops.StageRef) (user, password string) {
	d.mu.Lock()
	d.stages[s.ID] = s
	d.mu.Unlock()
	return pull.Stage(s.ID), d.passwords.Of(pull.Stage(s.ID))
}

func (d *doorman) Authenticate(_ context.Context, username, password string) (registry.Identity, error) {
	if username == pusher && password == "secret" || d.passwords.Accepts(username, password) {
		return registry.Identity{User: username}, nil
	}
	return registry.Identity{}, registry.ErrCredentials
}

func (*doorman) AuthenticateToken(context.Context, string) (registry.Identity, error) {
	return registry.Identity{}, registry.ErrCredentials
}

func (d *doorman) Authorize(_ context.Context, who registry.Identity, repository string, _ registry.Action) error {
	if who.User == pusher {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if repository == d.shared {
		return nil
	}
	id, _ := pull.StageOf(who.User)
	if s, ok := d.stages[id]; !ok || !pull.Covers(s, repository) {
		return registry.Denied("these credentials are of another stage")
	}
	return nil
}

// push puts an image of testapp into the registry and gives its name.
func (s *store) push(t testing.TB, stage setops.StageRef, arch string, config v1.Config) engine.Image {
	t.Helper()
	image := imageOf(t, arch, config)
	digest, err := image.Digest()
	must(t, err)
	i := engine.Image{Repository: engine.Repository(stage, "web"), Digest: digest.String()}
	ref, err := name.NewDigest(s.address+"/"+i.Repository+"@"+i.Digest, name.Insecure)
	must(t, err)
	must(t, remote.Write(ref, image, remote.WithAuth(&authn.Basic{Username: pusher, Password: "secret"})))
	return i
}

func imageOf(t testing.TB, arch string, config v1.Config) v1.Image {
	t.Helper()
	program, err := os.ReadFile(testapp(t))
	must(t, err)
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	must(t, w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}))
	must(t, w.WriteHeader(&tar.Header{Name: "testapp", Mode: 0o755, Size: int64(len(program))}))
	_, err = w.Write(program)
	must(t, err)
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

func testapp(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "testapp")
	c := exec.Command("go", "build", "-o", path, "-ldflags", "-s -w", "../enginetest/testapp")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	c.Stderr = t.Output()
	must(t, c.Run())
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
