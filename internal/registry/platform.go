package registry

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// PlatformError says that an image exists, but not for the machine that shall
// run it.
type PlatformError struct {
	Digest string   // what was asked for
	Want   string   // such as linux/amd64
	Have   []string // such as linux/arm64/v8; sorted, may be empty
}

func (e *PlatformError) Error() string {
	have := "no platform"
	if len(e.Have) > 0 {
		have = strings.Join(e.Have, ", ")
	}
	return fmt.Sprintf("image %s is for %s, but %s is needed", e.Digest, have, e.Want)
}

// platformName writes a platform as `docker build --platform` takes it.
func platformName(p v1.Platform) string {
	name := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		name += "/" + p.Variant
	}
	return name
}

// isAttestation recognises what BuildKit puts into an index beside the images.
func isAttestation(p *v1.Platform) bool {
	return p != nil && p.OS == "unknown"
}

// baseline is the variant that every machine of an architecture runs.
var baseline = map[string]string{"amd64": "v1", "arm64": "v8", "arm": "v5"}

// byVariant prefers no variant, then the baseline, then the lower ones: a
// higher one may use instructions that the machine lacks.
func byVariant(a, b v1.Descriptor) int {
	rank := func(p *v1.Platform) int {
		switch p.Variant {
		case "":
			return 0
		case baseline[p.Architecture]:
			return 1
		default:
			return 2
		}
	}
	return cmp.Or(
		cmp.Compare(rank(a.Platform), rank(b.Platform)),
		cmp.Compare(a.Platform.Variant, b.Platform.Variant))
}

// pick returns the descriptor of an index that suits the machine best.
func pick(manifests []v1.Descriptor, os, arch string) (v1.Descriptor, bool) {
	fits := slices.DeleteFunc(slices.Clone(manifests), func(d v1.Descriptor) bool {
		return d.Platform == nil || d.Platform.OS != os || d.Platform.Architecture != arch
	})
	if len(fits) == 0 {
		return v1.Descriptor{}, false
	}
	return slices.MinFunc(fits, byVariant), true
}

// platformNames lists what an index offers.
func platformNames(manifests []v1.Descriptor) []string {
	var names []string
	for _, d := range manifests {
		if d.Platform != nil && !isAttestation(d.Platform) {
			names = append(names, platformName(*d.Platform))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
