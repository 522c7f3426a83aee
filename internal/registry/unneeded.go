package registry

import (
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
)

// unneeded gives the manifests that may go, each before what it refers to: so
// there is never an index without its images.
func (s *repositorySurvey) unneeded(named map[Reference]bool, before time.Time) []*manifest {
	stays := map[digest.Digest]bool{}
	for d, m := range s.manifests {
		if named[m.Reference] || !m.used.Before(before) {
			s.mark(stays, d)
		}
	}
	for grown := true; grown; {
		grown = false
		for d, m := range s.manifests {
			if stays[m.subject] && !stays[d] {
				s.mark(stays, d)
				grown = true
			}
		}
	}
	var all []*manifest
	for _, d := range slices.Sorted(maps.Keys(s.manifests)) {
		s.visit(stays, d, &all)
	}
	slices.Reverse(all)
	return all
}

// mark says that a manifest stays, with all below it.
func (s *repositorySurvey) mark(stays map[digest.Digest]bool, d digest.Digest) {
	m := s.manifests[d]
	if m == nil || stays[d] {
		return
	}
	stays[d] = true
	for _, below := range m.refers {
		s.mark(stays, below)
	}
}

// visit appends a manifest behind all below it, unless it was seen.
func (s *repositorySurvey) visit(seen map[digest.Digest]bool, d digest.Digest, all *[]*manifest) {
	m := s.manifests[d]
	if m == nil || seen[d] {
		return
	}
	seen[d] = true
	for _, below := range m.refers {
		s.visit(seen, below, all)
	}
	*all = append(*all, m)
}
