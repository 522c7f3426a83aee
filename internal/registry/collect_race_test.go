package registry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	containers "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/registry"
)

// pull reads all of an image, or says what is missing.
func pull(ref name.Digest) error {
	img, err := remote.Image(ref, remote.WithAuth(alice))
	if err != nil {
		return err
	}
	if _, err := img.RawConfigFile(); err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		content, err := l.Compressed()
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, content)
		if err := errors.Join(err, content.Close()); err != nil {
			return err
		}
	}
	return nil
}

func TestACondemnedImageIsAnsweredAsIfItWereGoneAndComesBackWhenItIsNamed(t *testing.T) {
	r := start(t)
	digest := r.push(t, web, "v1", image(t, platform, 1000))
	r.age(t)
	ref := registry.Reference{Repository: web, Digest: digest}
	asked := 0
	got := r.collect(t, func(context.Context) (map[registry.Reference]bool, error) {
		if asked++; asked == 1 {
			return map[registry.Reference]bool{}, nil
		}
		wantExists(t, r, web, digest, false)
		if _, err := r.Resolve(t.Context(), web, digest, "linux", "amd64"); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("Resolve: %v", err)
		}
		if tags, err := r.TagsOf(t.Context(), web, digest); err != nil || len(tags) > 0 {
			t.Errorf("tags %v, %v", tags, err)
		}
		for _, reference := range []string{"v1", digest} {
			wantStatus(t, r.send(t, http.MethodHead, "/v2/"+web+"/manifests/"+reference, nil), http.StatusNotFound)
			resp := r.send(t, http.MethodGet, "/v2/"+web+"/manifests/"+reference, nil)
			wantRefusal(t, resp, http.StatusNotFound, "MANIFEST_UNKNOWN", "push it again")
		}
		return map[registry.Reference]bool{ref: true}, nil
	})
	if asked != 2 || len(got.Manifests) > 0 || got.Blobs > 0 {
		t.Fatalf("asked %d times, collected %+v", asked, got)
	}
	wantWhole(t, r, web, digest)
}

func TestACondemnedImageThatIsPushedAgainStays(t *testing.T) {
	r := start(t)
	pushed := image(t, platform, 1000)
	digest := r.push(t, web, "v1", pushed)
	amd := image(t, platform, 500)
	index := pushIndex(t, r, labelled(amd, platform))
	r.age(t)
	got := r.collect(t, meanwhile(nothing, func() {
		r.push(t, web, "v2", pushed)
		wantExists(t, r, web, digest, true) // release:create comes right behind it
		pushIndex(t, r, labelled(amd, platform))
	}))
	if len(got.Manifests) > 0 {
		t.Fatalf("collected %+v", got.Manifests)
	}
	wantWhole(t, r, web, digest)
	wantWhole(t, r, web, digestOf(t, amd))
	wantExists(t, r, web, index, true)
}

func TestAnIndexPushedForItsCondemnedImageKeepsIt(t *testing.T) {
	r := start(t)
	amd := image(t, platform, 500)
	r.push(t, web, "v1", amd)
	r.age(t)
	index := mutate.AppendManifests(empty.Index, labelled(amd, platform))
	raw, err := index.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	r.collect(t, meanwhile(nothing, func() {
		resp := r.send(t, http.MethodPut, "/v2/"+web+"/manifests/multi", bytes.NewReader(raw), "Content-Type", string(types.OCIImageIndex))
		wantStatus(t, resp, http.StatusCreated)
	}))
	wantWhole(t, r, web, digestOf(t, amd))
}

func TestAnIndexThatSomebodyWasToldOfStaysWhole(t *testing.T) {
	r := start(t)
	amd, arm := image(t, platform, 500), image(t, arm64, 500)
	inner := mutate.AppendManifests(empty.Index, labelled(arm, arm64))
	index := pushIndex(t, r, labelled(amd, platform), mutate.IndexAddendum{Add: inner})
	r.age(t)
	got := r.collect(t, meanwhile(func() { wantExists(t, r, web, index, true) }, nothing))
	if len(got.Manifests) > 0 {
		t.Fatalf("collected %+v", got.Manifests)
	}
	wantWhole(t, r, web, digestOf(t, amd))
	wantWhole(t, r, web, digestOf(t, arm))
}

func TestAnImageThatWasJustPushedIsThereForEverybody(t *testing.T) {
	r := start(t)
	img := image(t, platform, 1000)
	digest := r.push(t, web, "v1", img)
	r.age(t)
	r.collect(t, meanwhile(func() { r.push(t, web, "v1", img) }, func() { wantWhole(t, r, web, digest) }))
	wantWhole(t, r, web, digest)
}

func TestAnImageThatSomebodyWasToldOfStays(t *testing.T) {
	for how, ask := range map[string]func(r running, digest string){
		"the server": func(r running, digest string) { wantExists(t, r, web, digest, true) },
		"a client, by digest": func(r running, digest string) {
			r.send(t, http.MethodHead, "/v2/"+web+"/manifests/"+digest, nil, "Accept", string(types.OCIManifestSchema1))
		},
		"a client, by tag": func(r running, _ string) {
			r.send(t, http.MethodHead, "/v2/"+web+"/manifests/v1", nil, "Accept", string(types.OCIManifestSchema1))
		},
	} {
		t.Run(how, func(t *testing.T) {
			r := start(t)
			digest := r.push(t, web, "v1", image(t, platform, 1000))
			r.age(t)
			r.collect(t, meanwhile(func() { ask(r, digest) }, nothing))
			wantWhole(t, r, web, digest)
		})
	}
}

func TestABlobThatAClientWasToldOfWaitsForItsManifest(t *testing.T) {
	for how, ask := range map[string]func(r running, img containers.Image){
		"HEAD": func(r running, img containers.Image) {
			wantStatus(t, r.send(t, http.MethodHead, "/v2/"+web+"/blobs/"+firstLayer(t, img), nil), http.StatusOK)
		},
		"mount": func(r running, img containers.Image) {
			resp := r.send(t, http.MethodPost, "/v2/"+web+"/blobs/uploads/?from="+worker+"&mount="+firstLayer(t, img), nil)
			wantStatus(t, resp, http.StatusCreated)
		},
		"upload": func(r running, img containers.Image) {
			resp := r.send(t, http.MethodPut, startUpload(t, r)+"&digest="+firstLayer(t, img), bytes.NewReader(layerBytes(t, img)))
			wantStatus(t, resp, http.StatusCreated)
		},
	} {
		t.Run(how, func(t *testing.T) {
			r := start(t)
			img := image(t, platform, 1000)
			r.push(t, web, "v1", img)
			r.push(t, worker, "v1", img)
			r.age(t)
			r.collect(t, meanwhile(nothing, func() { ask(r, img) }))
			wantStatus(t, r.send(t, http.MethodHead, "/v2/"+web+"/blobs/"+firstLayer(t, img), nil), http.StatusOK)
			wantExists(t, r, web, digestOf(t, img), false)
		})
	}
}

func TestPushesWhileTheRegistryIsCollectedLoseNothing(t *testing.T) {
	r := start(t)
	shared := static.NewLayer(randomBytes(20_000), types.OCILayer)
	var images []containers.Image
	for range 6 {
		img, err := mutate.AppendLayers(image(t, platform, 2000), shared)
		if err != nil {
			t.Fatal(err)
		}
		images = append(images, img)
		r.push(t, web, "old", img)
	}
	for range 8 {
		r.age(t)
		before := time.Now().Add(-24 * time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		var pushing, collecting sync.WaitGroup
		collecting.Go(func() {
			for ctx.Err() == nil {
				if _, err := r.Collect(t.Context(), registry.Collection{Keep: keep(), Before: before}); err != nil {
					t.Error(err)
				}
			}
		})
		for i, img := range images {
			repository := []string{web, worker}[i%2]
			tag, digest := r.tag(t, repository, "new"), r.digest(t, repository, digestOf(t, img))
			pushing.Go(func() {
				if err := errors.Join(remote.Write(tag, img, remote.WithAuth(alice)), pull(digest)); err != nil {
					t.Error(err)
				}
			})
		}
		pushing.Wait()
		cancel()
		collecting.Wait()
	}
}

func TestACollectionThatEndsHalfWayIsFinishedByTheNext(t *testing.T) {
	r := start(t)
	kept := r.push(t, web, "v1", image(t, platform, 1000))
	digest := r.push(t, web, "v2", image(t, platform, 1000))
	r.age(t)
	stays := registry.Reference{Repository: web, Digest: kept}
	down := errors.New("the database is away")
	asked := 0
	_, err := r.Collect(t.Context(), collection(func(context.Context) (map[registry.Reference]bool, error) {
		if asked++; asked == 2 {
			return nil, down
		}
		return map[registry.Reference]bool{stays: true}, nil
	}))
	if !errors.Is(err, down) {
		t.Fatalf("got %v", err)
	}
	wantWhole(t, r, web, digest) // nobody is condemned any more

	// As after a crash behind the last manifest.
	r.age(t)
	r.remove(t, repositoriesDir+"/"+web+"/_manifests/revisions/sha256/"+digest[len("sha256:"):])
	r.collect(t, keep(stays))
	wantWhole(t, r, web, kept)
	if left := r.blobs(t); len(left) != 4 {
		t.Fatalf("%d blobs are left, want those of one image", len(left))
	}
}

func TestAFullDiskIsNoObstacle(t *testing.T) {
	disk := onDisk{smallDisk(t, "4m,nr_inodes=200")}
	r := startIn(t, disk)
	kept := r.push(t, web, "v1", image(t, platform, 1000))
	gone := r.push(t, web, "v2", image(t, platform, 1000))
	r.age(t)
	var err error
	for n := 0; err == nil; n++ { // not one more directory can be made
		err = os.WriteFile(filepath.Join(disk.dir, "filler"+strconv.Itoa(n)), nil, 0o600)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	got := r.collect(t, keep(registry.Reference{Repository: web, Digest: kept}))
	if len(got.Manifests) != 1 || got.Blobs != 4 || len(r.blobs(t)) != 4 {
		t.Errorf("collected %+v, left %v", got, r.blobs(t))
	}
	wantExists(t, r, web, gone, false)
	wantWhole(t, r, web, kept)
}

func TestALinkToABlobThatIsGoneIsNoObstacle(t *testing.T) {
	r := start(t)
	digest := r.push(t, web, "v1", image(t, platform))
	r.remove(t, blobDir(digest))
	r.age(t)
	if got := r.collect(t, keep()); len(got.Manifests) != 1 || len(r.blobs(t)) > 0 {
		t.Fatalf("collected %+v", got)
	}
}
