package registry_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	containers "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/setopsco/setops/internal/registry"
)

func TestAPushedImageIsPulledByTagAndByDigest(t *testing.T) {
	r := start(t)
	pushed := image(t, platform, 300_000)
	digest := r.push(t, web, "v1", pushed)

	byTag, err := remote.Image(r.tag(t, web, "v1"), remote.WithAuth(alice))
	if err != nil {
		t.Fatal(err)
	}
	if got := digestOf(t, byTag); got != digest {
		t.Fatalf("the tag names %s, want %s", got, digest)
	}
	byDigest, err := remote.Image(r.digest(t, web, digest), remote.WithAuth(alice))
	if err != nil {
		t.Fatal(err)
	}
	if want, got := layerBytes(t, pushed), layerBytes(t, byDigest); !bytes.Equal(want, got) {
		t.Fatal("the layer that was pulled is not the one that was pushed")
	}
}

func TestEveryWayToSignInCanPush(t *testing.T) {
	for way, auth := range map[string]authn.Authenticator{
		"password":                      alice,
		"token as password":             &authn.Basic{Username: "alice", Password: apiToken},
		"token as bearer":               &authn.Bearer{Token: apiToken},
		"token of a credential helper":  authn.FromConfig(authn.AuthConfig{IdentityToken: apiToken}),
		"token as bearer in the config": authn.FromConfig(authn.AuthConfig{RegistryToken: apiToken}),
	} {
		t.Run(way, func(t *testing.T) {
			r := start(t)
			if err := remote.Write(r.tag(t, web, "v1"), image(t, platform), remote.WithAuth(auth)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAPushChecksThePasswordOnce(t *testing.T) {
	r := start(t)
	r.push(t, web, "v1", image(t, platform, 1000, 2000, 3000))
	if n := r.signIns.Load(); n != 1 {
		t.Fatalf("the password was checked %d times, want once", n)
	}
}

func TestAWrongPasswordIsRefused(t *testing.T) {
	r := start(t)
	err := remote.Write(r.tag(t, web, "v1"), image(t, platform), remote.WithAuth(mallory))
	if err == nil || !strings.Contains(err.Error(), "wrong user, password or token") {
		t.Fatalf("got %v", err)
	}
}

func TestAPushToAnAppThatDoesNotExistSaysSo(t *testing.T) {
	r := start(t)
	err := remote.Write(r.tag(t, "acme/shop/prod/ghost", "v1"), image(t, platform), remote.WithAuth(alice))
	if err == nil || !strings.Contains(err.Error(), "create and commit it first") || !strings.Contains(err.Error(), "DENIED") {
		t.Fatalf("got %v", err)
	}
}

func TestARightIsAskedForOnEveryRequest(t *testing.T) {
	r := start(t)
	pushed := image(t, platform)
	r.push(t, web, "v1", pushed)
	token := fetchToken(t, r)

	r.restrict("alice", web, "pull")
	wantStatus(t, withToken(t, r, token, http.MethodGet, "/v2/"+web+"/tags/list"), http.StatusOK)
	resp := withToken(t, r, token, http.MethodPost, "/v2/"+web+"/blobs/uploads/")
	wantRefusal(t, resp, http.StatusForbidden, "DENIED", "alice may not push")
	resp = withToken(t, r, token, http.MethodDelete, "/v2/"+web+"/manifests/"+digestOf(t, pushed))
	wantRefusal(t, resp, http.StatusForbidden, "DENIED", "alice may not delete")

	r.restrict("alice", web, "")
	resp = withToken(t, r, token, http.MethodGet, "/v2/"+web+"/tags/list")
	wantRefusal(t, resp, http.StatusForbidden, "DENIED", "alice may not pull")
}

func TestManifestsAreDeletedWithTheRightTo(t *testing.T) {
	r := start(t)
	digest := r.push(t, web, "v1", image(t, platform))
	if err := remote.Delete(r.digest(t, web, digest), remote.WithAuth(alice)); err != nil {
		t.Fatal(err)
	}
	if found, err := r.Exists(t.Context(), web, digest); err != nil || found {
		t.Fatalf("after the deletion: %v, %v", found, err)
	}
}

func TestABlobIsMountedFromAnotherRepository(t *testing.T) {
	r := start(t)
	source := image(t, platform, 50_000)
	r.push(t, web, "v1", source)
	if status := mount(t, r, source); status != http.StatusCreated {
		t.Fatalf("status %d, want a mounted blob", status)
	}
}

func TestAMountWithoutTheRightToPullBecomesAnUpload(t *testing.T) {
	r := start(t)
	source := image(t, platform, 50_000)
	r.push(t, web, "v1", source)
	r.restrict("alice", web, "")
	if status := mount(t, r, source); status != http.StatusAccepted {
		t.Fatalf("status %d, want an upload", status)
	}
}

func TestAMountHiddenInTheBodyIsNotSeen(t *testing.T) {
	r := start(t)
	source := image(t, platform, 50_000)
	r.push(t, web, "v1", source)
	r.restrict("alice", web, "")
	form := "from=" + web + "&mount=" + firstLayer(t, source)
	resp := r.send(t, http.MethodPost, "/v2/"+worker+"/blobs/uploads/", strings.NewReader(form),
		"Content-Type", "application/x-www-form-urlencoded")
	wantStatus(t, resp, http.StatusAccepted)
}

func TestAManifestMayNameForeignLayers(t *testing.T) {
	r := start(t)
	img, err := mutate.Append(image(t, platform), mutate.Addendum{
		Layer: static.NewLayer([]byte("elsewhere"), types.OCIRestrictedLayer),
		URLs:  []string{"https://example.com/layer"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.push(t, web, "v1", img)
}

func TestManyPushAtOnce(t *testing.T) {
	r := start(t)
	shared := static.NewLayer(randomBytes(200_000), types.OCILayer)
	var wg sync.WaitGroup
	for _, tag := range []string{"a", "b", "c", "d", "e", "f"} {
		img, err := mutate.AppendLayers(image(t, platform, 20_000), shared)
		if err != nil {
			t.Fatal(err)
		}
		ref := r.tag(t, web, tag)
		wg.Go(func() {
			if err := remote.Write(ref, img, remote.WithAuth(alice)); err != nil {
				t.Errorf("push %s: %v", tag, err)
			}
		})
	}
	wg.Wait()
	tags, err := remote.List(r.tag(t, web, "a").Context(), remote.WithAuth(alice))
	if err != nil || len(tags) != 6 {
		t.Fatalf("tags %v, %v", tags, err)
	}
}

func TestAPushIsLoggedWithItsUserAndDigest(t *testing.T) {
	var log bytes.Buffer
	r := start(t, func(c *registry.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	digest := r.push(t, web, "v1", image(t, platform))
	for _, want := range []string{"image pushed", "user=alice", "repository=" + web, "reference=v1", digest} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in the log:\n%s", want, log.String())
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d records, want one:\n%s", n, log.String())
	}
}

func mount(t *testing.T, r running, source containers.Image) int {
	t.Helper()
	resp := r.send(t, http.MethodPost, "/v2/"+worker+"/blobs/uploads/?from="+web+"&mount="+firstLayer(t, source), nil)
	return resp.StatusCode
}

func firstLayer(t *testing.T, img containers.Image) string {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return digestOf(t, layers[0])
}

func layerBytes(t *testing.T, img containers.Image) []byte {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	content, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	data, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
