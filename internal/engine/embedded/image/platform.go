//go:build linux

package image

import (
	"bytes"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// choose picks the manifest for this machine from an index. An exact variant wins over the plain architecture.
func (s *Store) choose(body []byte) (digest string, err error) {
	index, err := v1.ParseIndexManifest(bytes.NewReader(body))
	if err != nil {
		return "", imageErrorf("the image cannot run: its index is no valid JSON: %v", err)
	}
	best, found := 0, ""
	var offered []string
	for _, m := range index.Manifests {
		if !m.MediaType.IsImage() && !m.MediaType.IsIndex() {
			continue
		}
		p := m.Platform
		if p == nil {
			p = &v1.Platform{} // the configuration will say
		}
		if p.OS == "unknown" {
			continue // attestations
		}
		offered = append(offered, describe(*p))
		if rank := s.rank(*p); rank > best {
			best, found = rank, m.Digest.String()
		}
	}
	if found == "" {
		return "", s.wrongPlatform(offered)
	}
	return found, nil
}

// rank says how well a platform fits this machine; 0: not at all.
func (s *Store) rank(p v1.Platform) int {
	here := s.cfg.Platform
	switch {
	case p.OS == "" && p.Architecture == "":
		return 1
	case p.OS != here.OS || p.Architecture != here.Architecture:
		return 0
	case p.Variant == here.Variant:
		return 4
	case p.Variant == "":
		return 3
	case here.Variant == "" && runsWithoutVariant(p):
		return 2
	}
	return 0
}

// runsWithoutVariant reports variants that name no more than what every machine of the architecture has.
func runsWithoutVariant(p v1.Platform) bool {
	return p.Architecture+"/"+p.Variant == "amd64/v1" || p.Architecture+"/"+p.Variant == "arm64/v8" || p.Architecture == "arm"
}

// checkPlatform refuses a configuration made for another machine. One that says nothing is taken at its word.
func (s *Store) checkPlatform(c *v1.ConfigFile) error {
	here := s.cfg.Platform
	if (c.OS == "" || c.OS == here.OS) && (c.Architecture == "" || c.Architecture == here.Architecture) {
		return nil
	}
	return s.wrongPlatform([]string{describe(v1.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant})})
}

func (s *Store) wrongPlatform(offered []string) error {
	here := describe(s.cfg.Platform)
	made := "no platform at all"
	if len(offered) > 0 {
		slices.Sort(offered)
		made = strings.Join(slices.Compact(offered), ", ")
	}
	return imageErrorf("the image is made for %s and this machine is %s; build it with `docker build --platform %s`", made, here, here)
}

func describe(p v1.Platform) string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}
