package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/pkg/api"
)

type oneCommit struct {
	InStage
	ID string `path:"id" maxLength:"64"`
}

func (s *Server) startCommit(ctx context.Context, r idempotency.Request, in *changeStage) (*answer[api.Commit], error) {
	u, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	c, err := s.Commits.Start(ctx, ref, u, r.NewID)
	if err != nil {
		return nil, err
	}
	return answered(wireCommit(c)), nil
}

func (s *Server) showCommit(ctx context.Context, in *oneCommit) (*answer[api.Commit], error) {
	_, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	c, err := s.Commits.Commit(ctx, ref.ID, in.ID)
	if err != nil {
		return nil, err
	}
	return answered(wireCommit(c)), nil
}

func (s *Server) watchCommit(ctx context.Context, in *oneCommit) (*huma.StreamResponse, error) {
	_, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	if _, err := s.Commits.Commit(ctx, ref.ID, in.ID); err != nil {
		return nil, err
	}
	return s.events(func(ctx context.Context, send sender) {
		err := s.Commits.Watch(ctx, ref.ID, in.ID, func(p commit.Progress) bool {
			return send("progress", "", api.Progress{
				State: string(p.State), Phase: string(p.Phase), Done: p.Done, Total: p.Total, Failure: wireFailure(p.Failure),
			})
		})
		if err != nil && ctx.Err() == nil {
			s.Logger.Debug("watch commit", "commit", in.ID, "error", err)
		}
	}), nil
}

func wireCommit(c changeset.Commit) api.Commit {
	wire := api.Commit{
		ID: c.ID, State: string(c.State), Phase: string(c.Phase), Done: c.Done, Total: c.Total,
		CreatedAt: c.CreatedAt, CreatedBy: c.UserEmail, Changeset: wireChangeset(c.Changeset), Failure: wireFailure(c.Failure),
	}
	if !c.FinishedAt.IsZero() {
		wire.FinishedAt = &c.FinishedAt
	}
	return wire
}

func wireFailure(f *changeset.Failure) *api.Failure {
	if f == nil {
		return nil
	}
	wire := &api.Failure{
		Code: f.Code, Message: f.Message, Temporary: f.Temporary, Step: f.Step, App: f.App, Release: f.Release, TaskID: f.TaskID,
		Check: f.Check, LastAnswer: (*api.LastAnswer)(f.LastAnswer), Next: f.Next, Log: f.Log,
	}
	for _, other := range f.Others {
		wire.Others = append(wire.Others, api.OtherFailure(other))
	}
	return wire
}
