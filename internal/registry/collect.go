package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
)

// Collection is what Collect is to do.
type Collection struct {
	// Keep gives the images that something names. It is asked twice, the second
	// time when the registry answers already as if all others were gone.
	Keep func(ctx context.Context) (map[Reference]bool, error)
	// Before is when something must have been pushed, or asked for last, to be
	// old. What is younger stays, whoever names it or does not.
	Before time.Time
	// DryRun removes nothing.
	DryRun bool
}

// Collected is what was removed, or would be.
type Collected struct {
	Manifests []CollectedManifest // by repository, the oldest first
	Blobs     int
	Bytes     int64 // of the blobs
}

// CollectedManifest is a manifest that was removed, or would be.
type CollectedManifest struct {
	Reference
	Tags []string  // that named it; sorted, may be empty
	Used time.Time // pushed, or asked for last
}

// Collect removes the manifests that nothing names and that are old, with
// their tags; then the links and blobs that no manifest refers to and that are
// old, and repositories that hold nothing any more. What an index leads to
// stays with it, and so does what was pushed about an image, as a signature.
//
// Requests are answered meanwhile, and whatever one of them was told of stays.
// A crash leaves what a later call removes. Another call waits. What was
// removed is reported with an error, too.
func (r *Registry) Collect(ctx context.Context, what Collection) (Collected, error) {
	r.collecting.Lock()
	defer r.collecting.Unlock()
	c := &collection{Registry: r, Collection: what, parsed: map[string]*manifest{}}
	err := errors.Join(c.run(ctx), c.images.close(context.WithoutCancel(ctx), &c.grave))
	slices.SortFunc(c.collected.Manifests, func(a, b CollectedManifest) int {
		return cmp.Or(cmp.Compare(a.Repository, b.Repository), a.Used.Compare(b.Used), cmp.Compare(a.Digest, b.Digest))
	})
	if err != nil {
		err = fmt.Errorf("collect what the registry needs no more: %w", err)
	}
	return c.collected, err
}

// collection is one call of Collect.
type collection struct {
	*Registry
	Collection
	parsed    map[string]*manifest // by digest: many repositories have the same
	grave     grave
	collected Collected
}

func (c *collection) run(ctx context.Context) error {
	found, err := c.survey(ctx)
	if err != nil {
		return err
	}
	named, err := c.Keep(ctx)
	if err != nil {
		return err
	}
	if c.DryRun {
		for _, s := range found {
			for _, m := range s.unneeded(named, c.Before) {
				c.count(m, s)
				delete(s.manifests, digest.Digest(m.Digest))
			}
		}
		return c.removeBlobs(ctx, found)
	}
	if err := c.removeManifests(ctx, found, named); err != nil {
		return err
	}
	// What was pushed or pardoned meanwhile needs its blobs.
	if found, err = c.survey(ctx); err != nil {
		return err
	}
	if err := c.removeBlobs(ctx, found); err != nil {
		return err
	}
	return c.removeEmpty(ctx, found)
}

// removeManifests condemns, asks again, and removes what nobody has named or
// pushed meanwhile.
func (c *collection) removeManifests(ctx context.Context, found []*repositorySurvey, named map[Reference]bool) error {
	defer c.condemned.condemn(nil)
	if err := c.condemn(ctx, found, named); err != nil {
		return err
	}
	again, err := c.Keep(ctx)
	if err != nil {
		return err
	}
	for ref := range again {
		c.condemned.pardon(ref)
	}
	maps.Copy(named, again)
	for _, s := range found {
		for _, m := range s.unneeded(named, c.Before) {
			if err := ctx.Err(); err != nil {
				return err
			}
			removed, err := c.removeManifest(ctx, s, m)
			if err != nil {
				return fmt.Errorf("remove manifest %s of %s: %w", m.Digest, m.Repository, err)
			}
			if removed {
				c.count(m, s)
			}
		}
	}
	return nil
}

// condemn spares what was pushed, or asked for, since the survey: whoever did so was told that it is there.
func (c *collection) condemn(ctx context.Context, found []*repositorySurvey, named map[Reference]bool) error {
	var all []*manifest
	for _, s := range found {
		all = append(all, s.unneeded(named, c.Before)...)
	}
	c.sweep.Lock()
	defer c.sweep.Unlock()
	c.condemned.condemn(all)
	for _, m := range all {
		old, err := c.isOld(ctx, revisionLink(m.Reference))
		if err != nil {
			return fmt.Errorf("look how old manifest %s of %s is: %w", m.Digest, m.Repository, err)
		}
		if !old {
			c.condemned.pardon(m.Reference)
		}
	}
	return nil
}

func (c *collection) count(m *manifest, s *repositorySurvey) {
	tags := slices.Sorted(slices.Values(s.tags[digest.Digest(m.Digest)]))
	c.collected.Manifests = append(c.collected.Manifests, CollectedManifest{Reference: m.Reference, Tags: tags, Used: m.used})
}
