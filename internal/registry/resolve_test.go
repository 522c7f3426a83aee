package registry_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	containers "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/setopsco/setops/internal/registry"
)

const missing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

var (
	arm64   = containers.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	windows = containers.Platform{OS: "windows", Architecture: "amd64"}
)

func TestAnImageResolvesToItself(t *testing.T) {
	r := start(t)
	pushed := image(t, platform, 5000)
	digest := r.push(t, web, "v1", pushed)

	got, err := r.Resolve(t.Context(), web, digest, "linux", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	config, err := pushed.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != digest || got.MediaType != string(types.OCIManifestSchema1) || !bytes.Equal(got.Config, config) {
		t.Fatalf("got %+v", got)
	}
	if len(got.Layers) != 2 || got.Layers[0].Size != 5000 || got.Layers[0].MediaType != string(types.OCILayer) {
		t.Fatalf("layers %+v", got.Layers)
	}
	blob, err := r.Blob(t.Context(), web, got.Layers[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	content, err := io.ReadAll(blob)
	if err != nil || !bytes.Equal(content, layerBytes(t, pushed)) {
		t.Fatalf("the layer has other %d bytes: %v", len(content), err)
	}
}

func TestADockerImageResolvesToo(t *testing.T) {
	r := start(t)
	img := mutate.MediaType(image(t, platform), types.DockerManifestSchema2)
	img = mutate.ConfigMediaType(img, types.DockerConfigJSON)
	digest := r.push(t, web, "v1", img)
	if _, err := r.Resolve(t.Context(), web, digest, "linux", "amd64"); err != nil {
		t.Fatal(err)
	}
}

func TestAnIndexResolvesToThePlatformOfTheMachine(t *testing.T) {
	r := start(t)
	amd64 := image(t, platform)
	digest := pushIndex(t, r, labelled(amd64, platform), labelled(image(t, arm64), arm64),
		labelled(image(t, windows), windows), labelled(image(t, platform), containers.Platform{OS: "unknown", Architecture: "unknown"}))
	got, err := r.Resolve(t.Context(), web, digest, "linux", "amd64")
	if err != nil || got.Digest != digestOf(t, amd64) {
		t.Fatalf("got %s, %v", got.Digest, err)
	}
	if _, err := r.Resolve(t.Context(), web, digest, "linux", "arm64"); err != nil {
		t.Fatalf("an image for arm64/v8 must suit arm64: %v", err)
	}
	wantPlatforms(t, r, digest, "s390x", "linux/amd64", "linux/arm64/v8", "windows/amd64")
}

func TestOfSeveralVariantsTheOneThatEveryMachineRunsIsTaken(t *testing.T) {
	r := start(t)
	v1, v2, v3 := platform, platform, platform
	v1.Variant, v2.Variant, v3.Variant = "v1", "v2", "v3"
	plain, second := image(t, platform), image(t, v2)
	baseline := image(t, v1)

	for want, index := range map[containers.Image][]mutate.IndexAddendum{
		plain:    {labelled(image(t, v3), v3), labelled(second, v2), labelled(plain, platform)},
		baseline: {labelled(image(t, v3), v3), labelled(baseline, v1)},
		second:   {labelled(image(t, v3), v3), labelled(second, v2)},
	} {
		got, err := r.Resolve(t.Context(), web, pushIndex(t, r, index...), "linux", "amd64")
		if err != nil || got.Digest != digestOf(t, want) {
			t.Errorf("got %s, %v; want %s", got.Digest, err, digestOf(t, want))
		}
	}
}

func TestAnIndexWithoutPlatformsIsLookedInto(t *testing.T) {
	r := start(t)
	amd64 := image(t, platform)
	digest := pushIndex(t, r, mutate.IndexAddendum{Add: image(t, arm64)}, mutate.IndexAddendum{Add: amd64})
	got, err := r.Resolve(t.Context(), web, digest, "linux", "amd64")
	if err != nil || got.Digest != digestOf(t, amd64) {
		t.Fatalf("got %s, %v", got.Digest, err)
	}
	wantPlatforms(t, r, digest, "s390x", "linux/amd64", "linux/arm64/v8")
}

func TestAnIndexMayLeadToAnother(t *testing.T) {
	r := start(t)
	amd64 := image(t, platform)
	inner := mutate.AppendManifests(empty.Index, labelled(amd64, platform))
	digest := pushIndex(t, r, mutate.IndexAddendum{Add: inner, Descriptor: containers.Descriptor{Platform: &platform}})
	got, err := r.Resolve(t.Context(), web, digest, "linux", "amd64")
	if err != nil || got.Digest != digestOf(t, amd64) {
		t.Fatalf("got %s, %v", got.Digest, err)
	}
}

func TestAnImageForAnotherMachineSaysForWhich(t *testing.T) {
	r := start(t)
	wantPlatforms(t, r, r.push(t, web, "v1", image(t, arm64)), "amd64", "linux/arm64/v8")
}

func TestAnImageThatNamesNoPlatformIsTaken(t *testing.T) {
	r := start(t)
	digest := r.push(t, web, "v1", image(t, containers.Platform{}))
	if _, err := r.Resolve(t.Context(), web, digest, "linux", "amd64"); err != nil {
		t.Fatal(err)
	}
}

func TestAnArtifactIsNoImage(t *testing.T) {
	r := start(t)
	chart := mutate.ConfigMediaType(image(t, platform), "application/vnd.cncf.helm.config.v1+json")
	_, err := r.Resolve(t.Context(), web, r.push(t, web, "v1", chart), "linux", "amd64")
	if !errors.Is(err, registry.ErrNotAnImage) || !strings.Contains(err.Error(), "helm") {
		t.Fatalf("got %v", err)
	}
}

func TestAConfigTooLargeToKeepIsRefused(t *testing.T) {
	r := start(t)
	img, err := mutate.ConfigFile(image(t, platform), &containers.ConfigFile{
		OS: "linux", Architecture: "amd64", Author: strings.Repeat("x", 5<<20),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Resolve(t.Context(), web, r.push(t, web, "v1", img), "linux", "amd64"); err == nil {
		t.Fatal("it was read")
	}
}

func TestWhatIsNotInTheRepositoryIsNotFound(t *testing.T) {
	r := start(t)
	digest := r.push(t, web, "v1", image(t, platform))
	ctx := t.Context()
	for repository, digest := range map[string]string{web: missing, worker: digest} {
		if found, err := r.Exists(ctx, repository, digest); err != nil || found {
			t.Errorf("%s: Exists says %v, %v", repository, found, err)
		}
		if _, err := r.Resolve(ctx, repository, digest, "linux", "amd64"); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: Resolve says %v", repository, err)
		}
		if _, err := r.Blob(ctx, repository, digest); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: Blob says %v", repository, err)
		}
		if tags, err := r.TagsOf(ctx, repository, digest); err != nil || tags != nil {
			t.Errorf("%s: TagsOf says %v, %v", repository, tags, err)
		}
	}
}

func TestMalformedDigestsAndNamesAreToldApart(t *testing.T) {
	r := start(t)
	for _, digest := range []string{"", "v1", "sha256:12", "sha256:" + strings.Repeat("G", 64), "sha512:" + strings.Repeat("0", 128), "../../x"} {
		if _, err := r.Exists(t.Context(), web, digest); !errors.Is(err, registry.ErrDigestInvalid) {
			t.Errorf("digest %q: %v", digest, err)
		}
	}
	for _, name := range []string{"", "web", "acme/shop/prod", "acme/../shop/web", "ACME/shop/prod/web", "/etc/a/b/c"} {
		if _, err := r.Exists(t.Context(), name, missing); !errors.Is(err, registry.ErrNameInvalid) {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestTheTagsOfADigestAreTheOnesThatNameItNow(t *testing.T) {
	r := start(t)
	first, second := image(t, platform), image(t, platform)
	digest := r.push(t, web, "v2", first)
	r.push(t, web, "latest", first)
	r.push(t, web, "v1", first)
	r.push(t, web, "latest", second)
	tags, err := r.TagsOf(t.Context(), web, digest)
	if err != nil || !slices.Equal(tags, []string{"v1", "v2"}) {
		t.Fatalf("tags %v, %v", tags, err)
	}
}

func TestAManifestComesAsItWasPushed(t *testing.T) {
	r := start(t)
	pushed := image(t, platform)
	want, err := pushed.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	got, mediaType, err := r.Manifest(t.Context(), web, r.push(t, web, "v1", pushed))
	if err != nil || !bytes.Equal(got, want) || mediaType != string(types.OCIManifestSchema1) {
		t.Fatalf("got %s %s, %v", mediaType, got, err)
	}
}

func wantPlatforms(t *testing.T, r running, digest, arch string, have ...string) {
	t.Helper()
	_, err := r.Resolve(t.Context(), web, digest, "linux", arch)
	var mismatch *registry.PlatformError
	if !errors.As(err, &mismatch) {
		t.Fatalf("got %v, want a PlatformError", err)
	}
	slices.Sort(mismatch.Have)
	if mismatch.Digest != digest || mismatch.Want != "linux/"+arch || !slices.Equal(mismatch.Have, have) {
		t.Fatalf("got %+v, want %v", mismatch, have)
	}
}

func labelled(img containers.Image, p containers.Platform) mutate.IndexAddendum {
	return mutate.IndexAddendum{Add: img, Descriptor: containers.Descriptor{Platform: &p}}
}

func pushIndex(t *testing.T, r running, manifests ...mutate.IndexAddendum) string {
	t.Helper()
	index := mutate.AppendManifests(empty.Index, manifests...)
	if err := remote.WriteIndex(r.tag(t, web, "multi"), index, remote.WithAuth(alice)); err != nil {
		t.Fatal(err)
	}
	return digestOf(t, index)
}

func TestATagNamesTheImageThatItWasPushedWithLast(t *testing.T) {
	r := start(t)
	first, second := image(t, platform), image(t, platform)
	r.push(t, web, "latest", first)
	r.push(t, web, "v1", first)
	want := r.push(t, web, "latest", second)
	digest, ok, err := r.Digest(t.Context(), web, "latest")
	if err != nil || !ok || digest != want {
		t.Errorf("%s, %v, %v", digest, ok, err)
	}
	for _, repository := range []string{web, "acme/shop/prod/other"} {
		if _, ok, err := r.Digest(t.Context(), repository, "v2"); ok || err != nil {
			t.Errorf("%s: %v, %v", repository, ok, err)
		}
	}
	tags, err := r.Tags(t.Context(), web)
	if err != nil || !slices.Equal(tags, []string{"latest", "v1"}) {
		t.Errorf("%v, %v", tags, err)
	}
	if tags, err := r.Tags(t.Context(), "acme/shop/prod/other"); len(tags) > 0 || err != nil {
		t.Errorf("%v, %v", tags, err)
	}
}
