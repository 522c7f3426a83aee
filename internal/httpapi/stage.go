package httpapi

import (
	"context"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

type stageList struct {
	Stages []api.Stage `json:"stages"`
}

type newStage struct {
	InProject
	Changing
	Body api.NewName
}

func (in newStage) place() (project, stage string) { return in.Project, in.Body.Name }

// changeStage is a request that changes something of a stage, and has no body.
type changeStage struct {
	InStage
	Changing
}

func (s *Server) listStages(ctx context.Context, in *InProject) (*answer[stageList], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	p, err := s.Access.Project(ctx, u, in.Organization, in.Project, auth.SeeProject)
	if err != nil {
		return nil, err
	}
	all, err := s.Access.VisibleStages(ctx, u, p)
	list := stageList{Stages: make([]api.Stage, 0, len(all))}
	for _, st := range all {
		list.Stages = append(list.Stages, wireStage(st))
	}
	return answered(list), err
}

func (s *Server) createStage(ctx context.Context, r idempotency.Request, in *newStage) (*answer[api.Stage], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	st, err := s.Projects.CreateStage(ctx, u, in.Organization, in.Project, in.Body.Name, r.NewID, r.Events(nil)...)
	return answered(wireStage(st)), err
}

func (s *Server) showStage(ctx context.Context, in *InStage) (*answer[api.Stage], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	st, _, err := s.Access.Stage(ctx, u, in.Organization, in.Project, in.Stage, auth.SeeStage)
	wire := wireStage(st)
	wire.LogRetention = setops.Spec{LogRetention: st.LogRetention}.KeptLogs()
	return answered(wire), err
}

func (s *Server) destroyStage(ctx context.Context, r idempotency.Request, in *changeStage) (*struct{}, error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	return nil, s.Projects.DestroyStage(ctx, u, in.Organization, in.Project, in.Stage, r.Events(nil)...)
}

func wireStage(st setops.Stage) api.Stage {
	return api.Stage{Name: st.Name, CreatedAt: st.CreatedAt, CreatedBy: st.CreatedBy}
}
