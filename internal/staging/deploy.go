package staging

import (
	"context"
	"fmt"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// Deploy is an image that an app shall run: its commands make a release of it and activate that. They are never staged; package
// commit takes them, see Decide.
type Deploy struct {
	App    string
	Image  string   // in the app's repository: a digest or a tag
	Before []string // argv of the task before the activation; empty: none
	Force  bool     // also where the active release has that image

	service    *Service
	stage      setops.StageRef
	user       setops.User
	digest     string
	tag        string // by which the image was asked for
	repository string

	active setops.Release // that has the image already, so that there is nothing to do
}

// Deploy looks the image up. Errors: ValidationFailed where there is none.
func (s *Service) Deploy(ctx context.Context, stage setops.StageRef, user setops.User, d Deploy) (*Deploy, error) {
	d.service, d.stage, d.user, d.repository = s, stage, user, engine.Repository(stage, d.App)
	if setops.CheckDigest(d.Image) == nil {
		d.digest = d.Image
		return &d, nil
	}
	if broken := setops.CheckTag("image", d.Image); broken != nil {
		return nil, setops.InvalidInput(setops.ValidationFailed, broken)
	}
	digest, ok, err := s.Images.Digest(ctx, d.repository, d.Image)
	if err != nil {
		return nil, fmt.Errorf("look up tag %s in %s: %w", d.Image, d.repository, err)
	}
	if !ok {
		return nil, setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{
			Field: "image", Validator: setops.NotFound,
			Message: fmt.Sprintf("there is no image with the tag %s in %s; push it there first", d.Image, d.repository),
		}})
	}
	d.digest, d.tag = digest, d.Image
	return &d, nil
}

// Decide gives the commands: none where the active release has the image already. It is a changeset.Decide. Errors:
// AppDoesNotExist, ValidationFailed.
func (d *Deploy) Decide(ctx context.Context) changeset.Decide {
	return func(committed setops.Spec, _ []changeset.Command, reserve func(string) (int, error)) ([]changeset.Command, error) {
		d.active = setops.Release{}
		if app := committed.Apps[d.App]; app != nil && !d.Force {
			if active, ok := app.Release(app.ActiveRelease); ok && active.Digest == d.digest {
				d.active = active
				return nil, nil
			}
		}
		create := &changeset.ReleaseCreate{AppName: d.App, Digest: d.digest}
		if err := d.service.complete(ctx, d.stage, d.user, committed, create, reserve); err != nil {
			return nil, err
		}
		if d.tag != "" {
			create.Tag = d.tag
		}
		commands := []changeset.Command{create, &changeset.ReleaseActivate{AppName: d.App, ID: create.ID, Before: d.Before}}
		if _, problems := changeset.Fold(committed, commands); len(problems) > 0 {
			return nil, problems[0].Err
		}
		return commands, nil
	}
}

// Prepare brings the image to where tasks start.
func (d *Deploy) Prepare() {
	d.service.Images.Prepare(engine.Image{Repository: d.repository, Digest: d.digest})
}

// Release gives the release of a commit of it; without one, the one that is active already.
func (d *Deploy) Release(c changeset.Commit) setops.Release {
	for _, command := range c.Changeset.Commands {
		if r, ok := command.(*changeset.ReleaseCreate); ok {
			return setops.Release{ID: r.ID, Digest: r.Digest, Tag: r.Tag}
		}
	}
	return d.active
}
