package registry_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	containers "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/setopsco/setops/internal/registry"
)

// age makes all that is stored two days old.
func (r running) age(t testing.TB) {
	t.Helper()
	r.kept.age(t, "docker", 48*time.Hour)
}

func keep(named ...registry.Reference) func(context.Context) (map[registry.Reference]bool, error) {
	return func(context.Context) (map[registry.Reference]bool, error) {
		all := map[registry.Reference]bool{}
		for _, ref := range named {
			all[ref] = true
		}
		return all, nil
	}
}

// meanwhile keeps nothing, and does something each time that it is asked.
func meanwhile(first, second func()) func(context.Context) (map[registry.Reference]bool, error) {
	n := 0
	return func(context.Context) (map[registry.Reference]bool, error) {
		if n++; n == 1 {
			first()
		} else {
			second()
		}
		return map[registry.Reference]bool{}, nil
	}
}

func nothing() {}

func collection(keep func(context.Context) (map[registry.Reference]bool, error)) registry.Collection {
	return registry.Collection{Keep: keep, Before: time.Now().Add(-24 * time.Hour)}
}

// collect keeps what is named and what is younger than a day.
func (r running) collect(t testing.TB, keep func(context.Context) (map[registry.Reference]bool, error)) registry.Collected {
	t.Helper()
	got, err := r.Collect(t.Context(), collection(keep))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// wantWhole pulls all of an image.
func wantWhole(t testing.TB, r running, repository, digest string) {
	t.Helper()
	if err := pull(r.digest(t, repository, digest)); err != nil {
		t.Errorf("pull %s of %s: %v", digest, repository, err)
	}
}

func bytesOf(t testing.TB, all ...containers.Image) int64 {
	t.Helper()
	sizes := map[containers.Hash]int64{}
	for _, img := range all {
		manifest, err := img.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range append(manifest.Layers, manifest.Config) {
			sizes[part.Digest] = part.Size
		}
		digest, err1 := img.Digest()
		size, err2 := img.Size()
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		sizes[digest] = size
	}
	var sum int64
	for _, size := range sizes {
		sum += size
	}
	return sum
}

func TestAnOldImageThatNothingNamesIsCollectedWithItsTags(t *testing.T) {
	r := start(t)
	kept, gone := image(t, platform, 5000), image(t, platform, 7000)
	stays := r.push(t, web, "v1", kept)
	digest := r.push(t, web, "v2", gone)
	r.push(t, web, "latest", gone)
	r.age(t)

	got := r.collect(t, keep(registry.Reference{Repository: web, Digest: stays}))
	if len(got.Manifests) != 1 || got.Manifests[0].Repository != web || got.Manifests[0].Digest != digest ||
		!slices.Equal(got.Manifests[0].Tags, []string{"latest", "v2"}) || time.Since(got.Manifests[0].Used) < 47*time.Hour {
		t.Fatalf("collected %+v", got.Manifests)
	}
	if want := bytesOf(t, gone); got.Bytes != want || got.Blobs != 4 {
		t.Fatalf("%d bytes of %d blobs, want %d of 4", got.Bytes, got.Blobs, want)
	}
	wantExists(t, r, web, digest, false)
	wantWhole(t, r, web, stays)
	tags, err := remote.List(r.tag(t, web, "v1").Context(), remote.WithAuth(alice))
	if err != nil || !slices.Equal(tags, []string{"v1"}) {
		t.Fatalf("tags %v, %v", tags, err)
	}
	if left := r.blobs(t); len(left) != 4 {
		t.Fatalf("%d blobs are left, want those of one image", len(left))
	}
}

func TestWhatIsYoungIsKept(t *testing.T) {
	r := start(t)
	digest := r.push(t, web, "v1", image(t, platform, 5000))
	if got := r.collect(t, keep()); len(got.Manifests) > 0 || got.Blobs > 0 {
		t.Fatalf("collected %+v", got)
	}
	wantWhole(t, r, web, digest)
}

func TestATagThatHasMovedOnStaysWhenItsOldImageGoes(t *testing.T) {
	r := start(t)
	first := r.push(t, web, "latest", image(t, platform))
	second := r.push(t, web, "latest", image(t, platform))
	r.age(t)
	r.collect(t, keep(registry.Reference{Repository: web, Digest: second}))
	wantExists(t, r, web, first, false)
	tagged, err := remote.Image(r.tag(t, web, "latest"), remote.WithAuth(alice))
	if err != nil || digestOf(t, tagged) != second {
		t.Fatalf("the tag leads nowhere: %v", err)
	}
}

func TestABlobStaysAsLongAsOneRepositoryNeedsIt(t *testing.T) {
	r := start(t)
	shared := image(t, platform, 5000)
	digest := r.push(t, web, "v1", shared)
	r.push(t, worker, "v1", shared)
	r.age(t)

	got := r.collect(t, keep(registry.Reference{Repository: worker, Digest: digest}))
	if len(got.Manifests) != 1 || got.Manifests[0].Repository != web || got.Bytes != 0 {
		t.Fatalf("collected %+v", got)
	}
	wantWhole(t, r, worker, digest)
	wantStatus(t, r.send(t, "HEAD", "/v2/"+web+"/blobs/"+firstLayer(t, shared), nil), 404)

	r.age(t)
	if got := r.collect(t, keep()); got.Bytes != bytesOf(t, shared) || len(r.blobs(t)) > 0 {
		t.Fatalf("collected %+v, left %v", got, r.blobs(t))
	}
}

func TestAnIndexKeepsItsImages(t *testing.T) {
	r := start(t)
	amd, arm := image(t, platform, 1000), image(t, arm64, 1000)
	inner := mutate.AppendManifests(empty.Index, labelled(arm, arm64))
	index := pushIndex(t, r, labelled(amd, platform), mutate.IndexAddendum{Add: inner})
	r.age(t)
	if got := r.collect(t, keep(registry.Reference{Repository: web, Digest: index})); len(got.Manifests) > 0 {
		t.Fatalf("collected %+v", got.Manifests)
	}
	wantWhole(t, r, web, digestOf(t, amd))
	wantWhole(t, r, web, digestOf(t, arm))

	r.age(t)
	got := r.collect(t, keep(registry.Reference{Repository: web, Digest: digestOf(t, arm)}))
	if len(got.Manifests) != 3 {
		t.Fatalf("collected %+v, want two indexes and an image", got.Manifests)
	}
	wantExists(t, r, web, index, false)
	wantExists(t, r, web, digestOf(t, amd), false)
	wantWhole(t, r, web, digestOf(t, arm))
}

func TestWhatWasPushedAboutAnImageStaysWithIt(t *testing.T) {
	r := start(t)
	signed := image(t, platform, 1000)
	digest := r.push(t, web, "v1", signed)
	described, err := signed.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	hash, err := signed.Digest()
	if err != nil {
		t.Fatal(err)
	}
	about := containers.Descriptor{MediaType: described.MediaType, Digest: hash, Size: bytesOf(t, signed)}
	signature := r.push(t, web, "signature", mutate.Subject(image(t, platform), about).(containers.Image))
	r.age(t)
	r.collect(t, keep(registry.Reference{Repository: web, Digest: digest}))
	wantWhole(t, r, web, signature)
	r.age(t)
	r.collect(t, keep())
	wantExists(t, r, web, signature, false)
}

func TestADryRunTellsTheSameAndRemovesNothing(t *testing.T) {
	r := start(t)
	shared := static.NewLayer(randomBytes(9000), types.OCILayer)
	for _, repository := range []string{web, worker} {
		img, err := mutate.AppendLayers(image(t, platform, 3000), shared)
		if err != nil {
			t.Fatal(err)
		}
		r.push(t, repository, "v1", img)
	}
	pushIndex(t, r, labelled(image(t, platform), platform))
	r.age(t)
	what := collection(keep())
	what.DryRun = true
	told, err := r.Collect(t.Context(), what)
	if err != nil || len(told.Manifests) != 4 || told.Bytes < 15_000 {
		t.Fatalf("told %+v, %v", told, err)
	}
	again, err := r.Collect(t.Context(), what)
	if err != nil || !slices.EqualFunc(again.Manifests, told.Manifests, sameManifest) || again.Bytes != told.Bytes {
		t.Fatalf("the second time it told %+v, %v", again, err)
	}
	if did := r.collect(t, keep()); !slices.EqualFunc(did.Manifests, told.Manifests, sameManifest) || did.Bytes != told.Bytes || did.Blobs != told.Blobs {
		t.Fatalf("told %+v, did %+v", told, did)
	}
}

func sameManifest(a, b registry.CollectedManifest) bool {
	return a.Reference == b.Reference && slices.Equal(a.Tags, b.Tags) && a.Used.Equal(b.Used)
}

func TestARepositoryThatHoldsNothingVanishes(t *testing.T) {
	r := start(t)
	pushed := image(t, platform)
	r.push(t, web, "v1", pushed)
	r.age(t)
	r.collect(t, keep())
	if left := r.files(t, repositoriesDir); len(left) > 0 {
		t.Fatalf("left: %v", left)
	}
	if disk, is := r.kept.(onDisk); is {
		if left, err := os.ReadDir(filepath.Join(disk.dir, repositoriesDir)); err != nil || len(left) > 0 {
			t.Fatalf("left: %v, %v", left, err)
		}
	}
	wantWhole(t, r, web, r.push(t, web, "v1", pushed))

	startUpload(t, r)
	r.age(t)
	r.collect(t, keep())
	if len(r.files(t, repositoriesDir+"/"+web+"/_uploads")) == 0 {
		t.Fatal("the upload under way is gone")
	}
}

func TestAManifestThatCannotBeReadEndsTheCollection(t *testing.T) {
	r := start(t)
	bad := r.push(t, web, "v1", image(t, platform))
	r.push(t, worker, "v1", image(t, platform))
	r.write(t, blobDir(bad)+"/data", `{"schemaVersion":2,"mediaType":"`)
	r.age(t)
	before := len(r.blobs(t))
	if _, err := r.Collect(t.Context(), collection(keep())); err == nil || len(r.blobs(t)) != before {
		t.Fatalf("%v; %d blobs of %d are left", err, len(r.blobs(t)), before)
	}
}
