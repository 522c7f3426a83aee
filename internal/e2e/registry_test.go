package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// twin makes another organization with the same project, stage and app as demo has, and its user.
func (w *world) twin(t *testing.T, email string) (token string) {
	t.Helper()
	err := w.inStore(func(s *store.Store) error {
		id, err := s.AddOrganization(t.Context(), "o-acme", "acme", time.Now())
		if err != nil {
			return err
		}
		return addUserTo(t.Context(), s, email, id)
	})
	if err != nil {
		t.Fatal(err)
	}
	in, err := client.New(w.url(), "", client.Options{}).SignIn(t.Context(), api.Credentials{
		Organization: "acme", Email: email, Password: passwordOf(email),
	})
	if err != nil {
		t.Fatal(err)
	}
	const projects = "/v1/organizations/acme/projects"
	w.must(t, in.Token, "POST", projects, `{"name":"shop"}`)
	w.must(t, in.Token, "POST", projects+"/shop/stages", `{"name":"production"}`)
	w.commitOnce(t, in.Token, projects+"/shop/stages/production", "web")
	return in.Token
}

func TestImagesOfAnotherOrganizationAreOutOfReach(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	w.commitOnce(t, token, production, "web")
	const grace = "grace@example.com"
	hers := w.twin(t, grace)
	image, err := random.Image(256, 1)
	if err != nil {
		t.Fatal(err)
	}
	ours := w.repository(t, "demo/shop/production/web")
	if err := remote.Write(ours.Tag("v1"), image, remote.WithAuth(&authn.Basic{Username: admin, Password: passwordOf(admin)})); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	for how, password := range map[string]string{"password": passwordOf(grace), "token": hers} {
		who := remote.WithAuth(&authn.Basic{Username: grace, Password: password})
		for _, ref := range []name.Reference{ours.Tag("v1"), ours.Digest(digest.String())} {
			if _, err := remote.Get(ref, who); err == nil || !strings.Contains(err.Error(), "no organization") {
				t.Errorf("by %s, %s: %v", how, ref, err)
			}
		}
		if all, err := remote.List(ours, who); err == nil {
			t.Errorf("by %s the tags are listed: %v", how, all)
		}
		if err := remote.Write(w.repository(t, "acme/shop/production/web").Tag(how), image, who); err != nil {
			t.Errorf("by %s: %v", how, err)
		}
	}
}

func TestABlobOfAnotherOrganizationIsNotMounted(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	w.commitOnce(t, token, production, "web")
	hers := w.twin(t, "grace@example.com")
	image, err := random.Image(256, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(w.repository(t, "demo/shop/production/web").Tag("v1"), image,
		remote.WithAuth(&authn.Basic{Username: admin, Password: passwordOf(admin)})); err != nil {
		t.Fatal(err)
	}
	layer := layerOf(t, image)
	foreign := "/v2/acme/shop/production/web/blobs/uploads/?mount=" + layer + "&from=demo/shop/production/web"
	if a := w.do(t, request{method: "POST", path: foreign, token: hers}); a.status != http.StatusAccepted { // an ordinary upload
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := w.do(t, request{method: "HEAD", path: "/v2/acme/shop/production/web/blobs/" + layer, token: hers}); a.status != http.StatusNotFound {
		t.Errorf("the blob is there: %d", a.status)
	}
	// Whoever may pull there is served: the refusal above is no matter of the protocol.
	w.commitOnce(t, token, production, "worker")
	path := "/v2/demo/shop/production/worker/blobs/uploads/?mount=" + layer + "&from=demo/shop/production/web"
	if a := w.do(t, request{method: "POST", path: path, token: token}); a.status != http.StatusCreated {
		t.Errorf("within one organization: %d %s", a.status, a.body)
	}
}

func (w *world) repository(t *testing.T, path string) name.Repository {
	t.Helper()
	r, err := name.NewRepository(w.config.Listen + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func layerOf(t *testing.T, image v1.Image) string {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	d, err := layers[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}
