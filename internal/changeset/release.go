package changeset

import (
	"slices"
	"strings"
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

// ReleaseActivate makes a release the active one. Before is the argv of the pre-activation task of the commit, which runs on
// that release before any traffic moves; empty: there is none. It is no part of the spec: see Gates. Tag is what its image is
// known by from then on; nil: by what it was.
type ReleaseActivate struct {
	AppName string   `json:"name"`
	ID      int      `json:"release_id"`
	Tag     *string  `json:"tag,omitempty"`
	Before  []string `json:"before,omitempty"`
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
	shown := map[string]any{"name": c.AppName, "release_id": c.ID}
	if c.Tag != nil {
		shown["tag"] = *c.Tag
	}
	if len(c.Before) > 0 {
		shown["before"] = c.Before
	}
	return shown
}

func (c *ReleaseActivate) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		at := slices.IndexFunc(a.Releases, func(r setops.Release) bool { return r.ID == c.ID })
		if at < 0 {
			return setops.Refuse(setops.ReleaseDoesNotExist,
				"app %s has no release %d; `setops --app %s release` lists them", a.Name, c.ID, a.Name)
		}
		if len(c.Before) > 0 {
			if err := check(setops.CheckArgv("before", c.Before)); err != nil {
				return err
			}
		}
		if c.Tag != nil {
			if err := checkTag(*c.Tag); err != nil {
				return err
			}
			a.Releases = slices.Clone(a.Releases) // edit copies them only the first time
			a.Releases[at].Tag = *c.Tag
		}
		a.ActiveRelease = c.ID
		return nil
	})
}

func checkTag(tag string) error {
	if tag == "" { // it has none, as before somebody gave it one
		return nil
	}
	return check(setops.CheckTag("tag", tag))
}

// nextDeploy turns lines to type after a commit into those after a deploy: what mends is staged and committed by itself, then the
// image, which is still in the repository, is deployed again. Its release is not there.
func nextDeploy(lines []string, commands []Command) (next []string) {
	mends := false
	for _, line := range lines {
		scope, commits := strings.CutSuffix(line, " changeset:commit")
		switch {
		case commits:
			if mends {
				next = append(next, line)
			}
			next = append(next, scope+deployLine(commands))
		case strings.Contains(line, " changeset:"), strings.Contains(line, " release:"):
		default:
			mends = mends || !strings.Contains(line, " log --task ")
			next = append(next, line)
		}
	}
	return next
}

func deployLine(commands []Command) (line string) {
	for _, c := range commands {
		switch c := c.(type) {
		case *ReleaseCreate:
			line = " --app " + c.AppName + " release:deploy " + c.Digest
		case *ReleaseActivate:
			if len(c.Before) > 0 {
				line += " -- ARGV"
			}
		}
	}
	return line
}

// Gates gives the argv of the pre-activation task of each app that has one, where commands lead to the spec after. Of an app
// that is activated more than once the last activation counts, with a task or without; and none counts whose release is not
// the active one in the end.
func Gates(after setops.Spec, commands []Command) map[string][]string {
	gates := map[string][]string{}
	for _, c := range commands {
		switch c := c.(type) {
		case *AppDestroy:
			delete(gates, c.AppName)
		case *ReleaseActivate:
			delete(gates, c.AppName)
			if app := after.Apps[c.AppName]; len(c.Before) > 0 && app != nil && app.ActiveRelease == c.ID {
				gates[c.AppName] = c.Before
			}
		}
	}
	return gates
}
