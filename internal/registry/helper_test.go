package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	containers "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/registry/s3test"
)

const (
	web      = "acme/shop/prod/web"
	worker   = "acme/shop/prod/worker"
	secret   = "0123456789abcdef0123456789abcdef"
	apiToken = "sops_alice"
)

var (
	alice    = &authn.Basic{Username: "alice", Password: "wonderland"}
	mallory  = &authn.Basic{Username: "mallory", Password: "guess"}
	platform = containers.Platform{OS: "linux", Architecture: "amd64"}
)

// house is who may do what: a stand-in for the composition root.
type house struct {
	mu        sync.Mutex
	apps      map[string]bool   // committed apps
	rights    map[string]string // "user repository" → actions; absent: all
	signIns   atomic.Int64      // passwords that were hashed
	throttled atomic.Bool
	broken    atomic.Bool // the database is away
}

func newHouse() *house {
	return &house{apps: map[string]bool{web: true, worker: true}, rights: map[string]string{}}
}

func (h *house) Authenticate(_ context.Context, username, password string) (registry.Identity, error) {
	h.signIns.Add(1)
	switch {
	case h.throttled.Load():
		return registry.Identity{}, &registry.ThrottleError{RetryAfter: 30e9}
	case h.broken.Load():
		return registry.Identity{}, io.ErrUnexpectedEOF
	case username == "alice" && password == "wonderland", username == "bob" && password == "builder",
		username == "alice" && password == apiToken:
		return registry.Identity{User: username}, nil
	}
	return registry.Identity{}, registry.ErrCredentials
}

func (h *house) AuthenticateToken(_ context.Context, token string) (registry.Identity, error) {
	if token != apiToken {
		return registry.Identity{}, registry.ErrCredentials
	}
	return registry.Identity{User: "alice", Credential: "1"}, nil
}

func (h *house) Authorize(_ context.Context, who registry.Identity, repository string, action registry.Action) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.apps[repository] {
		return registry.Denied("the app %s does not exist: create and commit it first", repository)
	}
	if actions, limited := h.rights[who.User+" "+repository]; limited && !strings.Contains(actions, string(action)) {
		return registry.Denied("%s may not %s %s", who.User, action, repository)
	}
	return nil
}

func (h *house) restrict(user, repository, actions string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rights[user+" "+repository] = actions
}

// running is a registry that answers on a port of its own.
type running struct {
	*registry.Registry
	*house
	kept
	url string // http://127.0.0.1:PORT
}

// start serves a registry until the test ends; change may alter its Config.
func start(t testing.TB, change ...func(*registry.Config)) running {
	t.Helper()
	if strings.HasPrefix(t.Name(), allOnS3+"/") {
		return startIn(t, inBucket{s3test.Start(t)}, change...)
	}
	return startIn(t, onDisk{t.TempDir()}, change...)
}

// startIn serves what is kept already.
func startIn(t testing.TB, k kept, change ...func(*registry.Config)) running {
	t.Helper()
	h := newHouse()
	config := registry.Config{Secret: []byte(secret), Authenticator: h, Authorizer: h}
	k.configure(&config)
	for _, c := range change {
		c(&config)
	}
	r, err := registry.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/v2/", r)
	mux.Handle(registry.DefaultTokenPath, r.TokenHandler())
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.Close()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return running{Registry: r, house: h, kept: k, url: server.URL}
}

func (r running) host() string { return strings.TrimPrefix(r.url, "http://") }

func (r running) tag(t testing.TB, repository, tag string) name.Tag {
	t.Helper()
	ref, err := name.NewTag(r.host()+"/"+repository+":"+tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (r running) digest(t testing.TB, repository, digest string) name.Digest {
	t.Helper()
	ref, err := name.NewDigest(r.host()+"/"+repository+"@"+digest, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// push pushes as alice and returns the digest.
func (r running) push(t testing.TB, repository, tag string, image containers.Image) string {
	t.Helper()
	if err := remote.Write(r.tag(t, repository, tag), image, remote.WithAuth(alice)); err != nil {
		t.Fatalf("push %s: %v", repository, err)
	}
	return digestOf(t, image)
}

// send makes one request as alice, with Basic credentials.
func (r running) send(t testing.TB, method, path string, body io.Reader, header ...string) *http.Response {
	t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = r.url + path
	}
	req, err := http.NewRequestWithContext(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("alice", "wonderland")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(t, req)
}

func do(t testing.TB, req *http.Request) *http.Response {
	t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func wantStatus(t testing.TB, resp *http.Response, status int) {
	t.Helper()
	if resp.StatusCode != status {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s: status %d, want %d: %s", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, status, body)
	}
}

// wantRefusal checks the one error that a refusal carries.
func wantRefusal(t testing.TB, resp *http.Response, status int, code, sentence string) {
	t.Helper()
	wantStatus(t, resp, status)
	var body struct {
		Errors []struct{ Code, Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		t.Fatalf("decode refusal: %v", err)
	}
	if len(body.Errors) != 1 || body.Errors[0].Code != code || !strings.Contains(body.Errors[0].Message, sentence) {
		t.Fatalf("got %+v, want %s: …%s…", body.Errors, code, sentence)
	}
}

// image makes a small image of random layers for a platform.
func image(t testing.TB, p containers.Platform, layerBytes ...int) containers.Image {
	t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	img, err := mutate.ConfigFile(img, &containers.ConfigFile{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant})
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range append(layerBytes, 64) {
		img, err = mutate.AppendLayers(img, static.NewLayer(randomBytes(size), types.OCILayer))
		if err != nil {
			t.Fatal(err)
		}
	}
	return img
}

func randomBytes(n int) []byte {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(rand.Uint32())
	}
	data, err := io.ReadAll(io.LimitReader(rand.NewChaCha8(seed), int64(n)))
	if err != nil {
		panic(err)
	}
	return bytes.Clone(data)
}

func digestOf(t testing.TB, d interface {
	Digest() (containers.Hash, error)
},
) string {
	t.Helper()
	digest, err := d.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

// runSelf runs the calling test in a process of its own and returns all that
// it prints.
func runSelf(t *testing.T, environment string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), environment)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("run %s: %v\n%s", t.Name(), err, output)
	}
	return string(output)
}
