package changeset

import (
	"fmt"
	"slices"

	"github.com/setopsco/setops/internal/setops"
)

// sameRelease compares the active ones. Those of an app that was made anew may have the same number and other images.
func sameRelease(a, b *setops.App) bool {
	one, _ := a.Release(a.ActiveRelease)
	other, _ := b.Release(b.ActiveRelease)
	return a.ActiveRelease == b.ActiveRelease && one.Digest == other.Digest && one.Tag == other.Tag
}

// digestShown is how much of a digest tells releases apart: `sha256:` and 12 digits.
const digestShown = len("sha256:") + 12

func showActive(a *setops.App) string {
	if a.ActiveRelease == 0 {
		return ""
	}
	r, _ := a.Release(a.ActiveRelease)
	r.Digest = r.Digest[:min(len(r.Digest), digestShown)]
	return fmt.Sprintf("%d (%s)", a.ActiveRelease, showRelease(r))
}

func showRelease(r setops.Release) string {
	if r.Tag == "" {
		return r.Digest
	}
	return r.Digest + ", tag " + r.Tag
}

// takeRelease activates what is active in from, which may be a release that is not listed any more.
func takeRelease(to, from *setops.App) {
	to.ActiveRelease = from.ActiveRelease
	if r, ok := from.Release(from.ActiveRelease); ok {
		enlist(to, r)
	}
}

// enlist makes sure that an app lists a release by its tag: another one of that number gives way.
func enlist(a *setops.App, r setops.Release) {
	i := slices.IndexFunc(a.Releases, func(other setops.Release) bool { return other.ID >= r.ID })
	switch {
	case i < 0:
		a.Releases = append(a.Releases, r)
	case a.Releases[i].ID > r.ID:
		a.Releases = slices.Insert(a.Releases, i, r)
	case a.Releases[i].Digest != r.Digest:
		a.Releases[i] = r
	default:
		a.Releases[i].Tag = r.Tag
	}
}

func byID(releases []setops.Release) map[int]setops.Release {
	numbered := make(map[int]setops.Release, len(releases))
	for _, r := range releases {
		numbered[r.ID] = r
	}
	return numbered
}

// relist gives an app that the commit made anew the releases that it had before. What is active is listed in any case, also
// where a number stands for two images.
func relist(was, made, target *setops.App) {
	active, listed := target.Release(target.ActiveRelease)
	kept := byID(made.Releases)
	for _, r := range was.Releases {
		if kept[r.ID].Digest != r.Digest {
			enlist(target, r)
		}
	}
	if listed {
		enlist(target, active)
	}
}
