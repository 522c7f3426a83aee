package registry_test

import (
	"errors"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/setopsco/setops/internal/registry"
)

func TestARemovedRepositoryStartsEmptyAgain(t *testing.T) {
	r := start(t)
	pushed := image(t, platform, 1000)
	digest := r.push(t, web, "v1", pushed)
	r.push(t, worker, "v1", pushed)
	if err := r.RemoveRepository(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	wantExists(t, r, web, digest, false)
	wantExists(t, r, worker, digest, true)
	if tags, err := remote.List(r.tag(t, web, "v1").Context(), remote.WithAuth(alice)); err == nil && len(tags) > 0 {
		t.Fatalf("its tags are still listed: %v", tags)
	}
	resp := r.send(t, http.MethodGet, "/v2/"+web+"/tags/list?n=5", nil)
	if resp.StatusCode >= http.StatusInternalServerError {
		t.Fatalf("the first tags: status %d", resp.StatusCode)
	}
	wantStatus(t, r.send(t, http.MethodHead, "/v2/"+web+"/blobs/"+firstLayer(t, pushed), nil), http.StatusNotFound)
	r.push(t, web, "v1", pushed)
	wantExists(t, r, web, digest, true)
	if left := r.files(t, "removed"); len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
}

func TestRemovingAProjectRemovesItsRepositoriesOnly(t *testing.T) {
	const other, neighbour = "acme/shop/test/web", "acme/shopping/prod/web"
	r := start(t)
	r.apps[other], r.apps[neighbour] = true, true
	pushed := image(t, platform)
	digest := r.push(t, web, "v1", pushed)
	r.push(t, other, "v1", pushed)
	r.push(t, neighbour, "v1", pushed)

	if err := r.RemovePrefix(t.Context(), "acme/shop/prod"); err != nil {
		t.Fatal(err)
	}
	wantExists(t, r, web, digest, false)
	wantExists(t, r, other, digest, true)
	if err := r.RemovePrefix(t.Context(), "acme/shop"); err != nil {
		t.Fatal(err)
	}
	wantExists(t, r, other, digest, false)
	wantExists(t, r, neighbour, digest, true)
}

func TestRemovingNothingIsNoError(t *testing.T) {
	r := start(t)
	if err := errors.Join(r.RemoveRepository(t.Context(), web), r.RemovePrefix(t.Context(), "acme/shop")); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyWhatIsNamedCanBeRemoved(t *testing.T) {
	r := start(t)
	for _, name := range []string{"", ".", "acme", "acme/..", "../x/y/z", "acme/shop/prod", "acme/shop/prod/web/x"} {
		if err := r.RemoveRepository(t.Context(), name); !errors.Is(err, registry.ErrNameInvalid) {
			t.Errorf("repository %q: %v", name, err)
		}
	}
	for _, prefix := range []string{"", "/", "acme", "acme/..", web} {
		if err := r.RemovePrefix(t.Context(), prefix); !errors.Is(err, registry.ErrNameInvalid) {
			t.Errorf("prefix %q: %v", prefix, err)
		}
	}
}

func TestAPushUnderWayIsStoppedWhenItsRepositoryIsRemoved(t *testing.T) {
	r := start(t)
	content, sending := io.Pipe()
	req := newRequest(t, http.MethodPatch, startUpload(t, r))
	req.SetBasicAuth("alice", "wonderland")
	req.Body = content
	answered := make(chan int, 1)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			answered <- 0
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}()
	if _, err := sending.Write(randomBytes(1 << 20)); err != nil {
		t.Fatal(err)
	}
	// Never closed: only the removal can end this request.
	removed := make(chan error, 1)
	go func() { removed <- r.RemoveRepository(t.Context(), web) }()
	select {
	case err := <-removed:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the removal waits for the client")
	}
	if status := <-answered; status == http.StatusAccepted {
		t.Fatal("the push went on")
	}
	if left := r.files(t, repositoriesDir+"/"+web); len(left) > 0 {
		t.Fatalf("the push brought the repository back: %v", left)
	}
	r.push(t, web, "v1", image(t, platform))
}

func TestAbandonedUploadsArePurgedAndOthersKept(t *testing.T) {
	r := start(t)
	old, fresh := startUpload(t, r), startUpload(t, r)
	id, _, _ := strings.Cut(path.Base(old), "?")
	r.kept.age(t, repositoriesDir+"/"+web+"/_uploads/"+id, 25*time.Hour)
	n, err := r.PurgeUploads(t.Context(), time.Now().Add(-24*time.Hour))
	if err != nil || n > 1 { // the purge at the start may come late, and be the one that removes it
		t.Fatalf("%d removed, %v", n, err)
	}
	wantStatus(t, r.send(t, http.MethodPatch, old, http.NoBody), http.StatusNotFound)
	wantStatus(t, r.send(t, http.MethodPatch, fresh, http.NoBody), http.StatusAccepted)
}

func wantExists(t *testing.T, r running, repository, digest string, want bool) {
	t.Helper()
	if found, err := r.Exists(t.Context(), repository, digest); err != nil || found != want {
		t.Fatalf("%s exists: %v, %v; want %v", repository, found, err, want)
	}
}
