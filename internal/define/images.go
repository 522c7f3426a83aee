package define

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/setopsco/setops/internal/definition"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// image is what an app shall run.
type image struct {
	definition.Image
	pushed string // a tag that it was pushed with, where it was asked for by its digest
}

// resolve looks up the images of the definition, and those that take their place. Errors: as definition.Refuse.
func (a *application) resolve(ctx context.Context, instead map[string]string) error {
	wanted := a.doc.Images()
	maps.Copy(wanted, instead)
	a.images = map[string]image{}
	var problems []definition.Problem
	for _, app := range slices.Sorted(maps.Keys(wanted)) {
		found, refusal, err := a.image(ctx, app, wanted[app])
		if err != nil {
			return err
		}
		if refusal != "" {
			field := "apps." + app + ".image_tag"
			p := definition.Problem{Field: field, Validator: setops.NotFound, Message: refusal}
			if _, named := instead[app]; !named {
				p.Place = a.doc.At(field)
			}
			problems = append(problems, p)
		}
		a.images[app] = found
	}
	return definition.Refuse(a.doc.File, problems)
}

// image finds the image that a tag or a digest names, or says why it cannot be run.
func (a *application) image(ctx context.Context, app, name string) (found image, refusal string, err error) {
	is, shall := a.before.Apps[app], a.target.Apps[app]
	repository := engine.Repository(a.stage, app)
	switch {
	case shall == nil:
		return found, "there is no such app", nil
	case is == nil:
		return found, fmt.Sprintf("app %s is new, so nothing can have been pushed to it yet; leave image_tag out, apply, and push to %s first", app, repository), nil
	case setops.CheckDigest(name) == nil:
		return a.byDigest(ctx, is, repository, name)
	}
	if broken := setops.CheckTag("image_tag", name); broken != nil {
		return found, broken[0].Message + "; a digest is sha256: and 64 hexadecimal digits", nil
	}
	digest, ok, err := a.service.Images.Digest(ctx, repository, name)
	if err == nil && ok { // and it is to be there still when the tag names another one
		ok, err = a.service.Images.Exists(ctx, repository, digest)
	}
	if err != nil {
		return found, "", fmt.Errorf("look up tag %s in %s: %w", name, repository, err)
	}
	if !ok {
		others, err := a.service.Images.Tags(ctx, repository)
		return found, setops.UnknownTag(repository, name, others), err
	}
	return image{Image: definition.Image{Digest: digest, Tag: name}}, "", nil
}

// byDigest takes what runs at its word: its image need not be there any more.
func (a *application) byDigest(ctx context.Context, is *setops.App, repository, digest string) (found image, refusal string, err error) {
	found.Digest = digest
	if active, _ := is.Release(is.ActiveRelease); active.Digest == digest {
		return found, "", nil
	}
	ok, err := a.service.Images.Exists(ctx, repository, digest)
	if err == nil && !ok {
		return found, fmt.Sprintf("there is no image %s in %s; push it there first", digest, repository), nil
	}
	if err == nil {
		found.pushed, err = a.service.Images.Tag(ctx, repository, digest)
	}
	if err != nil {
		err = fmt.Errorf("look up image %s in %s: %w", digest, repository, err)
	}
	return found, "", err
}
