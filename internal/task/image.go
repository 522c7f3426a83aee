package task

import (
	"context"
	"fmt"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// toRun finds what a task is to run.
func (s *Service) toRun(ctx context.Context, stage setops.StageRef, user setops.User, app *setops.App, r Request) (setops.Release, error) {
	if r.Image == "" {
		return s.release(ctx, stage, user, app, r.Release)
	}
	release, err := s.image(ctx, engine.Repository(stage, app.Name), r.Image)
	for _, of := range app.Releases { // the newest one of the image, if there is any
		if of.Digest == release.Digest && of.ID > release.ID {
			release.ID = of.ID
		}
	}
	return release, err
}

// image finds the image that a tag or a digest names. Errors: ValidationFailed where there is none.
func (s *Service) image(ctx context.Context, repository, name string) (setops.Release, error) {
	r := setops.Release{Digest: name}
	tagged := setops.CheckDigest(name) != nil
	ok := true
	var err error
	if tagged {
		if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckTag("image_tag", name)); err != nil {
			return r, err
		}
		r.Tag = name
		r.Digest, ok, err = s.Images.Digest(ctx, repository, name)
	}
	if err == nil && ok { // and it is to be there still when the task starts
		ok, err = s.Images.Exists(ctx, repository, r.Digest)
	}
	if err != nil {
		return r, fmt.Errorf("look up image %s in %s: %w", name, repository, err)
	}
	if ok {
		return r, nil
	}
	refusal := fmt.Sprintf("there is no image %s in %s; push it there first", name, repository)
	if tagged {
		others, err := s.Images.Tags(ctx, repository)
		if err != nil {
			return r, fmt.Errorf("list tags of %s: %w", repository, err)
		}
		refusal = setops.UnknownTag(repository, name, others)
	}
	return r, setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{Field: "image_tag", Validator: setops.NotFound, Message: refusal}})
}
