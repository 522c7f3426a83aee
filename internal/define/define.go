// Package define reads a stage as a definition and applies definitions: what differs becomes commands of a changeset, as if
// somebody had staged them. It looks images up and asks about domains; what a definition means is package definition's affair,
// making it live that of package commit.
//
// Start with Service.Apply.
package define

import (
	"context"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/definition"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
)

// Store is what define needs of the store; see there for what each method does.
type Store interface {
	Spec(ctx context.Context, stageID string) (setops.Spec, error)
	Version(ctx context.Context, stageID string) (int64, error)
	Changeset(ctx context.Context, stageID, userID string) (changeset.Changeset, bool, error)
	StageDefinition(ctx context.Context, fresh changeset.Changeset, decide changeset.Decide,
		receipt idempotency.Receipt[[]changeset.Command]) error
}

// Images looks images up in the repositories of apps.
type Images interface {
	// Exists reports whether the repository has the image; it stays there then for some time.
	Exists(ctx context.Context, repository, digest string) (bool, error)
	// Digest gives the image that a tag names now.
	Digest(ctx context.Context, repository, tag string) (digest string, ok bool, err error)
	// Tags are all of a repository, sorted.
	Tags(ctx context.Context, repository string) ([]string, error)
	// Tag is one that names the image, if any does.
	Tag(ctx context.Context, repository, digest string) (string, error)
	// Prepare brings the image to where tasks start, behind the answer.
	Prepare(image engine.Image)
}

// Service does it.
type Service struct {
	Store  Store
	Images Images
	// Admit refuses a command for what only the server knows, as a domain whose record is not in DNS.
	Admit func(ctx context.Context, stage setops.StageRef, c changeset.Command) error
	Box   *seal.Box
	NewID func() string
	Now   func() time.Time
}

// Dump writes down the committed state of a stage.
func (s *Service) Dump(ctx context.Context, stage setops.StageRef) (definition.Definition, error) {
	spec, err := s.Store.Spec(ctx, stage.ID)
	if err != nil {
		return definition.Definition{}, err
	}
	return definition.Of(spec, definition.Source{
		Stage: stage,
		Open: func(app, key string, value setops.Sealed) (string, error) {
			return s.Box.Open(seal.EnvPurpose(stage.ID, app, key), value)
		},
		Image: func(app string, active setops.Release) (string, error) { return s.name(ctx, stage, app, active) },
	})
}

// name gives the tag of a release where that still names its image, else the digest.
func (s *Service) name(ctx context.Context, stage setops.StageRef, app string, r setops.Release) (string, error) {
	if r.Tag == "" {
		return r.Digest, nil
	}
	named, ok, err := s.Images.Digest(ctx, engine.Repository(stage, app), r.Tag)
	if err != nil {
		return "", fmt.Errorf("look up tag %s: %w", r.Tag, err)
	}
	if !ok || named != r.Digest {
		return r.Digest, nil
	}
	return r.Tag, nil
}
