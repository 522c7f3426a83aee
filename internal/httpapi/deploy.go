package httpapi

import (
	"context"

	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/staging"
	"github.com/setopsco/setops/pkg/api"
)

type imageToDeploy struct {
	InApp
	Changing
	Body api.Deploy
}

// showDeployTarget tells who deploys what they need to know before they push.
func (s *Server) showDeployTarget(ctx context.Context, in *InApp) (*answer[api.DeployTarget], error) {
	u, ref, a, err := s.app(ctx, *in)
	if err != nil {
		return nil, err
	}
	staged, err := s.Staging.Changeset(ctx, ref, u)
	if err != nil && !setops.IsCode(err, setops.ChangesetDoesNotExist) {
		return nil, err
	}
	target := api.DeployTarget{Platform: s.Platform, Staged: len(staged.Commands)}
	if active, ok := a.Release(a.ActiveRelease); ok {
		target.ActiveRelease, target.ActiveDigest = active.ID, active.Digest
	}
	return answered(target), nil
}

func (s *Server) deploy(ctx context.Context, r idempotency.Request, in *imageToDeploy) (*answer[api.Deployed], error) {
	u, ref, a, err := s.app(ctx, in.InApp)
	if err != nil {
		return nil, err
	}
	d, err := s.Staging.Deploy(ctx, ref, u, staging.Deploy{App: a.Name, Image: in.Body.Image, Before: in.Body.Before, Force: in.Body.Force})
	if err != nil {
		return nil, err
	}
	asked := commit.Request{ID: r.NewID, Message: in.Body.Message, Events: r.Events(nil)}
	c, err := s.Commits.StartUnstaged(ctx, ref, u, asked, d.Decide(ctx))
	if err != nil {
		return nil, err
	}
	release := d.Release(c)
	deployed := api.Deployed{ReleaseID: release.ID, Digest: release.Digest, Tag: release.Tag}
	if c.ID != "" {
		d.Prepare()
		deployed.Commit = new(wireCommit(c))
	}
	return answered(deployed), nil
}
