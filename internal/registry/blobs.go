package registry

import (
	"context"
	"os"
	"path/filepath"

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
			gone, err := c.removeLink(l, referred)
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

func (c *collection) removeLink(l blobLink, referred map[digest.Digest]bool) (bool, error) {
	if referred[l.digest] || referred[l.target] {
		return false, nil
	}
	place, err := c.buryOld(filepath.Dir(l.path), l.path)
	return place != "", err
}

func (c *collection) removeUnneeded(ctx context.Context, needed map[digest.Digest]bool) error {
	dirs, err := descend(c.blobsDir(), 3)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := ctx.Err(); err != nil {
			return err
		}
		// The directory in between has the first two digits.
		algorithm := filepath.Base(filepath.Dir(filepath.Dir(dir)))
		if needed[digest.NewDigestFromEncoded(digest.Algorithm(algorithm), filepath.Base(dir))] {
			continue
		}
		if err := c.removeBlob(dir); err != nil {
			return err
		}
	}
	return nil
}

// removeBlob also removes what a crash left of a blob that was being written.
func (c *collection) removeBlob(dir string) error {
	mark := filepath.Join(dir, "data")
	info, err := os.Stat(mark)
	if err != nil {
		if err := unlessGone(err); err != nil {
			return err
		}
		mark = dir
	}
	place, err := c.buryOld(dir, mark)
	if err != nil || place == "" {
		return err
	}
	if mark != dir {
		c.collected.Blobs++
		c.collected.Bytes += info.Size()
	}
	if c.DryRun {
		return nil
	}
	return os.RemoveAll(place)
}
