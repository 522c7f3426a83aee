package registry

import (
	"context"
	"path"

	"github.com/opencontainers/go-digest"
)

// removeBlobs removes the links that no manifest of their repository needs,
// then the blobs to which nothing leads any more.
func (c *collection) removeBlobs(ctx context.Context, found []*repositorySurvey) error {
	needed := map[digest.Digest]bool{}
	for _, s := range found {
		referred := map[digest.Digest]bool{}
		for d, m := range s.manifests {
			needed[d] = true
			for _, below := range m.refers {
				referred[below], needed[below] = true, true
			}
		}
		for _, l := range s.links {
			gone, err := c.removeLink(ctx, l, referred)
			if err != nil {
				return err
			}
			if !gone {
				needed[l.digest], needed[l.target] = true, true
			}
		}
	}
	return c.removeUnneeded(ctx, needed)
}

func (c *collection) removeLink(ctx context.Context, l blobLink, referred map[digest.Digest]bool) (bool, error) {
	if referred[l.digest] || referred[l.target] {
		return false, nil
	}
	place, err := c.buryOld(ctx, path.Dir(l.path), func() (stored, error) { return c.images.stat(ctx, l.path) })
	return place != "", err
}

func (c *collection) removeUnneeded(ctx context.Context, needed map[digest.Digest]bool) error {
	dirs, err := c.descend(ctx, blobsDir, 3)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := ctx.Err(); err != nil {
			return err
		}
		// The directory in between has the first two digits.
		algorithm := path.Base(path.Dir(path.Dir(dir)))
		if needed[digest.NewDigestFromEncoded(digest.Algorithm(algorithm), path.Base(dir))] {
			continue
		}
		if err := c.removeBlob(ctx, dir); err != nil {
			return err
		}
	}
	return nil
}

// removeBlob also removes what a crash left of a blob that was being written.
func (c *collection) removeBlob(ctx context.Context, dir string) error {
	data, err := c.images.stat(ctx, path.Join(dir, "data"))
	if err != nil {
		return err
	}
	place, err := c.buryOld(ctx, dir, func() (stored, error) { return c.lookAtBlob(ctx, dir, data.there) })
	if err != nil || place == "" {
		return err
	}
	if data.there {
		c.collected.Blobs++
		c.collected.Bytes += data.size
	}
	if c.DryRun {
		return nil
	}
	return c.images.erase(ctx, place)
}

func (c *collection) lookAtBlob(ctx context.Context, dir string, whole bool) (stored, error) {
	if whole {
		return c.images.stat(ctx, path.Join(dir, "data"))
	}
	return c.images.touched(ctx, dir)
}
