package registry

import (
	"sync"

	"github.com/opencontainers/go-digest"
)

// verdicts are the manifests that Collect is about to remove. The registry
// answers as if they were gone, so that nobody begins to rely on one while it
// is asked for the last time whether something names it. They live in memory
// alone: after a crash nothing is condemned.
type verdicts struct {
	mu   sync.Mutex
	held map[Reference][]digest.Digest // with what each refers to
}

func (v *verdicts) condemn(all []*manifest) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held = make(map[Reference][]digest.Digest, len(all))
	for _, m := range all {
		v.held[m.Reference] = m.refers
	}
}

func (v *verdicts) holds(ref Reference) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, held := v.held[ref]
	return held
}

// pardon lets a manifest stay with all below it.
func (v *verdicts) pardon(ref Reference) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pardonLocked(ref)
}

func (v *verdicts) pardonLocked(ref Reference) {
	below, held := v.held[ref]
	if !held {
		return
	}
	delete(v.held, ref)
	for _, d := range below {
		v.pardonLocked(Reference{ref.Repository, d.String()})
	}
}
