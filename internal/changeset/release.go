package changeset

import (
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// ReleaseCreate gives an image digest a number. All but the app and the digest is filled in when it is staged: the id
// is reserved then, and the digest is known to be in the app's repository.
type ReleaseCreate struct {
	AppName   string    `json:"name"`
	Digest    string    `json:"release_digest"`
	ID        int       `json:"release_id,omitempty"`
	Tag       string    `json:"tag,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	CreatedBy string    `json:"created_by,omitempty"`
}

// ReleaseActivate makes a release the active one.
type ReleaseActivate struct {
	AppName string `json:"name"`
	ID      int    `json:"release_id"`
}

func (c *ReleaseCreate) Name() string { return "app:release:create" }
func (c *ReleaseCreate) App() string  { return c.AppName }

func (c *ReleaseCreate) Arguments() map[string]any {
	return map[string]any{"name": c.AppName, "release_digest": c.Digest}
}

func (c *ReleaseCreate) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		if err := setops.InvalidInput(setops.CodeReleaseDigestInvalid, setops.CheckDigest(c.Digest)); err != nil {
			return err
		}
		if _, taken := a.Release(c.ID); taken {
			return invalid("release_id", setops.Taken, "the app has that release already; stage release:create again")
		}
		a.Releases = append(a.Releases, setops.Release{ID: c.ID, Digest: c.Digest, Tag: c.Tag, CreatedAt: c.CreatedAt, CreatedBy: c.CreatedBy})
		return nil
	})
}

func (c *ReleaseActivate) Name() string { return "app:release:set" }
func (c *ReleaseActivate) App() string  { return c.AppName }

func (c *ReleaseActivate) Arguments() map[string]any {
	return map[string]any{"name": c.AppName, "release_id": c.ID}
}

func (c *ReleaseActivate) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		if _, ok := a.Release(c.ID); !ok {
			return setops.Refuse(setops.ReleaseDoesNotExist,
				"app %s has no release %d; `setops --app %s release` lists them", a.Name, c.ID, a.Name)
		}
		a.ActiveRelease = c.ID
		return nil
	})
}
