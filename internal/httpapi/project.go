package httpapi

import (
	"context"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

type projectList struct {
	Projects []api.Project `json:"projects"`
}

type newProject struct {
	InOrganization
	Changing
	Body api.NewName
}

func (in newProject) place() (project, stage string) { return in.Body.Name, "" }

type changeProject struct {
	InProject
	Changing
}

func (s *Server) listProjects(ctx context.Context, in *InOrganization) (*answer[projectList], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	all, err := s.Projects.Projects(ctx, u, in.Organization)
	list := projectList{Projects: make([]api.Project, 0, len(all))}
	for _, p := range all {
		list.Projects = append(list.Projects, wireProject(p))
	}
	return answered(list), err
}

func (s *Server) createProject(ctx context.Context, r idempotency.Request, in *newProject) (*answer[api.Project], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	p, err := s.Projects.CreateProject(ctx, u, in.Organization, in.Body.Name, r.NewID, r.Events(nil)...)
	return answered(wireProject(p)), err
}

func (s *Server) showProject(ctx context.Context, in *InProject) (*answer[api.Project], error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	p, err := s.Access.Project(ctx, u, in.Organization, in.Project, auth.SeeProject)
	return answered(wireProject(p)), err
}

func (s *Server) destroyProject(ctx context.Context, r idempotency.Request, in *changeProject) (*struct{}, error) {
	u, err := s.user(ctx, in.SignedIn)
	if err != nil {
		return nil, err
	}
	return nil, s.Projects.DestroyProject(ctx, u, in.Organization, in.Project, r.Events(nil)...)
}

func wireProject(p setops.Project) api.Project {
	return api.Project{Name: p.Name, CreatedAt: p.CreatedAt, CreatedBy: p.CreatedBy}
}
