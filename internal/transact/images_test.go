package transact

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	containers "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/store/storetest"
)

// depot is the real registry, open to everybody.
type depot struct {
	*registry.Registry
	host string
}

func newDepot(t *testing.T) *depot {
	t.Helper()
	d := &depot{}
	var err error
	d.Registry, err = registry.New(t.Context(), registry.Config{Dir: storetest.Dir(t), Secret: make([]byte, 32), Authenticator: d, Authorizer: d})
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/v2/", d.Registry)
	mux.Handle(registry.DefaultTokenPath, d.TokenHandler())
	server := httptest.NewServer(mux)
	d.host = strings.TrimPrefix(server.URL, "http://")
	t.Cleanup(func() {
		server.Close()
		must(t, d.Close())
	})
	return d
}

func (*depot) Authenticate(_ context.Context, name, _ string) (registry.Identity, error) {
	return registry.Identity{User: name}, nil
}

func (*depot) AuthenticateToken(context.Context, string) (registry.Identity, error) {
	return registry.Identity{}, registry.ErrCredentials
}

func (*depot) Authorize(context.Context, registry.Identity, string, registry.Action) error {
	return nil
}

// Tag implements staging.Images: one tag is as good as another.
func (d *depot) Tag(ctx context.Context, repository, digest string) (string, error) {
	tags, err := d.TagsOf(ctx, repository, digest)
	if err != nil || len(tags) == 0 {
		return "", err
	}
	return tags[0], nil
}

// Prepare implements staging.Images.
func (*depot) Prepare(engine.Image) {}

// push pushes an image that is like another only where their labels are, and gives its digest.
func (d *depot) push(t *testing.T, app, label string) string {
	t.Helper()
	ref, err := name.NewTag(d.host+"/"+engine.Repository(stage, app)+":latest", name.Insecure)
	must(t, err)
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.ConfigFile(image, &containers.ConfigFile{OS: "linux", Architecture: "amd64", Author: label})
	must(t, err)
	image, err = mutate.AppendLayers(image, static.NewLayer([]byte("layer "+label), types.OCILayer))
	must(t, err)
	must(t, remote.Write(ref, image, remote.WithAuth(&authn.Basic{Username: "ada", Password: "any"})))
	digest, err := image.Digest()
	must(t, err)
	return digest.String()
}

func (d *depot) has(t *testing.T, app, digest string) bool {
	t.Helper()
	found, err := d.Exists(t.Context(), engine.Repository(stage, app), digest)
	must(t, err)
	return found
}
