package image

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxIndexDepth is how many indexes may lead to each other, as for the server.
const maxIndexDepth = 3

// candidate is an image of an index.
type candidate struct {
	v1.Image
	digest   v1.Hash
	platform v1.Platform
	name     string // that the index gives it, if any
}

// refName is the annotation by which a layout names its images.
const refName = "org.opencontainers.image.ref.name"

// fromIndex takes the image of an index that the server runs; named, where set, is the name that the index gives it. Of several
// for the same platform it takes the one for the plainest machine; where they are different images with names, it is an error.
func fromIndex(index v1.ImageIndex, named string, want v1.Platform) (v1.Image, string, error) {
	all, err := candidates(index, "", 0)
	if err != nil {
		return nil, "", err
	}
	if named != "" {
		there := namesOf(all)
		all = slices.DeleteFunc(all, func(c candidate) bool { return c.name != named && tagOf(c.name) != named })
		if len(all) == 0 {
			return nil, "", fmt.Errorf("it has no image %s, only %s", named, there)
		}
	}
	fits := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !runs(c.platform, want) })
	if len(fits) == 0 {
		return nil, "", mismatch(all, want)
	}
	best := slices.MinFunc(fits, byVariant)
	for _, c := range fits {
		if c.name != best.name && c.digest != best.digest {
			return nil, "", fmt.Errorf("it has several images, %s; name one behind a colon", namesOf(fits))
		}
	}
	return best.Image, best.name, nil
}

// candidates lists the images of an index and of the indexes in it. What BuildKit puts beside them is no image.
func candidates(index v1.ImageIndex, name string, depth int) ([]candidate, error) {
	if depth == maxIndexDepth {
		return nil, fmt.Errorf("more than %d indexes lead to each other", maxIndexDepth)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("read the index: %w", err)
	}
	var all []candidate
	for _, d := range manifest.Manifests {
		named := cmp.Or(d.Annotations[refName], name)
		switch {
		case d.Platform != nil && d.Platform.OS == "unknown":
		case d.MediaType.IsIndex():
			inner, err := index.ImageIndex(d.Digest)
			if err != nil {
				return nil, fmt.Errorf("read index %s: %w", d.Digest, err)
			}
			more, err := candidates(inner, named, depth+1)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		case d.MediaType.IsImage():
			image, err := index.Image(d.Digest)
			if err != nil {
				return nil, fmt.Errorf("read image %s: %w", d.Digest, err)
			}
			c := candidate{Image: image, digest: d.Digest, name: named}
			if d.Platform != nil {
				c.platform = *d.Platform
			} else if c.platform, err = platformOf(image); err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

// fromImage takes an image that is for one platform, if that is the server's.
func fromImage(image v1.Image, want v1.Platform) (v1.Image, error) {
	is, err := platformOf(image)
	if err != nil {
		return nil, err
	}
	if !runs(is, want) {
		return nil, mismatch([]candidate{{platform: is}}, want)
	}
	return image, nil
}

func platformOf(image v1.Image) (v1.Platform, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return v1.Platform{}, fmt.Errorf("read the image's configuration: %w", err)
	}
	return v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}, nil
}

// runs says whether an image for a platform runs on another one. Small tools leave the platform out; such an image is taken at
// its word.
func runs(is, on v1.Platform) bool {
	return (is.OS == "" || is.OS == on.OS) && (is.Architecture == "" || is.Architecture == on.Architecture)
}

// baseline is the variant that every machine of an architecture runs.
func baseline(architecture string) string {
	return map[string]string{"amd64": "v1", "arm64": "v8", "arm": "v5"}[architecture]
}

// byVariant prefers no variant, then the baseline, then the lower ones: a higher one may use instructions that the server lacks.
func byVariant(a, b candidate) int {
	rank := func(p v1.Platform) int {
		switch p.Variant {
		case "":
			return 0
		case baseline(p.Architecture):
			return 1
		}
		return 2
	}
	return cmp.Or(cmp.Compare(rank(a.platform), rank(b.platform)), cmp.Compare(a.platform.Variant, b.platform.Variant))
}

func mismatch(all []candidate, want v1.Platform) error {
	if len(all) == 0 {
		return errors.New("it has no image")
	}
	var have []string
	for _, c := range all {
		have = append(have, c.platform.String())
	}
	slices.Sort(have)
	return fmt.Errorf("it is for %s, and the server runs %s; build it with --platform %s",
		strings.Join(slices.Compact(have), ", "), want, want)
}

func namesOf(all []candidate) string {
	var names []string
	for _, c := range all {
		names = append(names, cmp.Or(c.name, c.digest.String()))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// Platform reads a platform as linux/amd64.
func Platform(text string) (v1.Platform, error) {
	p, err := v1.ParsePlatform(text)
	if err != nil {
		return v1.Platform{}, fmt.Errorf("read the platform %q: %w", text, err)
	}
	return *p, nil
}
