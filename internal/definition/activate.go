package definition

import (
	"slices"

	"github.com/setopsco/setops/internal/setops"
)

// Image is what an app shall run.
type Image struct {
	Digest string
	Tag    string // that it was asked for by; empty: by its digest
}

// Images are the image of each app of the definition that names one, by a tag or a digest.
func (d *Document) Images() map[string]string {
	all := map[string]string{}
	for name, app := range d.Apps {
		if app.ImageTag != "" {
			all[name] = app.ImageTag
		}
	}
	return all
}

// Activate makes an app run an image: the active release where that is of the image, else its newest release, else a new one. The
// release is known by the tag from then on. fresh gives the number of a new release, and who makes it when.
func Activate(app *setops.App, image Image, fresh func() (setops.Release, error)) error {
	at := slices.IndexFunc(app.Releases, func(r setops.Release) bool { return r.ID == app.ActiveRelease && r.Digest == image.Digest })
	for i, r := range app.Releases {
		if r.Digest == image.Digest && (at < 0 || app.Releases[at].ID != app.ActiveRelease && r.ID > app.Releases[at].ID) {
			at = i
		}
	}
	if at < 0 {
		release, err := fresh()
		if err != nil {
			return err
		}
		release.Digest = image.Digest
		at, app.Releases = len(app.Releases), append(app.Releases, release)
	}
	if image.Tag != "" {
		app.Releases[at].Tag = image.Tag
	}
	app.ActiveRelease = app.Releases[at].ID
	return nil
}
