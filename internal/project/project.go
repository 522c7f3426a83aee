// Package project makes, lists and destroys projects and stages. destroy.go is the long half of it.
package project

import (
	"context"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
)

// Store is what projects need of the store.
type Store interface {
	auth.AccessStore
	AddProject(ctx context.Context, organizationID string, p setops.Project, u setops.User, events ...setops.Event) error
	Projects(ctx context.Context, organizationID string) ([]setops.Project, error)
	RemoveProject(ctx context.Context, id string) error
	AddStage(ctx context.Context, s setops.Stage, u setops.User, events ...setops.Event) error
	MarkDestroying(ctx context.Context, stageID, by string, now time.Time, events ...setops.Event) (busy bool, err error)
	MarkProjectDestroying(ctx context.Context, id string, events ...setops.Event) error
	Destroying(ctx context.Context) ([]setops.StageRef, error)
	DestroyingProjects(ctx context.Context) (refs []setops.StageRef, ids []string, err error)
	RemoveStage(ctx context.Context, id string) error
}

// Service does it.
type Service struct {
	Store  Store
	Access auth.Access
	// RemoveStage takes everything of a stage out of engine and router; RemoveImages out of the registry, below a prefix.
	RemoveStage  func(ctx context.Context, stageID string) error
	RemoveImages func(ctx context.Context, prefix string) error
	Now          func() time.Time
	Stopping     <-chan struct{} // closed when the server stops; may be nil

	mu   sync.Mutex
	busy map[string]chan struct{} // what is being destroyed, by id; closed when that is over
}

// CreateProject makes a project with the user as its admin; one that has that very id already is the same one. Errors:
// ProjectNameInvalid, ProjectAlreadyExists.
func (s *Service) CreateProject(ctx context.Context, u setops.User, organization, name, id string, events ...setops.Event) (setops.Project, error) {
	p := setops.Project{ID: id, Name: name, CreatedAt: s.Now().UTC(), CreatedBy: u.Email}
	if err := auth.SameOrganization(u, organization); err != nil {
		return p, err
	}
	if err := setops.InvalidInput(setops.ProjectNameInvalid, setops.CheckProjectName(name)); err != nil {
		return p, err
	}
	err := s.Store.AddProject(ctx, u.OrganizationID, p, u, events...)
	if setops.IsCode(err, setops.ProjectAlreadyExists) {
		if old, ok, lookErr := s.Store.Project(ctx, u.OrganizationID, name); lookErr != nil || ok && old.ID == id {
			return old, lookErr
		}
	}
	return p, err
}

// Projects lists the projects that the user may see.
func (s *Service) Projects(ctx context.Context, u setops.User, organization string) ([]setops.Project, error) {
	if err := auth.SameOrganization(u, organization); err != nil {
		return nil, err
	}
	all, err := s.Store.Projects(ctx, u.OrganizationID)
	if err != nil {
		return nil, err
	}
	visible := make([]setops.Project, 0, len(all))
	for _, p := range all {
		_, err := s.Access.Project(ctx, u, organization, p.Name, auth.SeeProject)
		if setops.IsCode(err, setops.ProjectDoesNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		visible = append(visible, p)
	}
	return visible, nil
}

// CreateStage makes a stage with the user as its admin; one that has that very id already is the same one. Errors:
// StageNameInvalid, StageAlreadyExists.
func (s *Service) CreateStage(ctx context.Context, u setops.User, organization, project, name, id string, events ...setops.Event) (setops.Stage, error) {
	p, err := s.Access.Project(ctx, u, organization, project, auth.CreateStage)
	if err != nil {
		return setops.Stage{}, err
	}
	st := setops.Stage{ID: id, ProjectID: p.ID, Name: name, CreatedAt: s.Now().UTC(), CreatedBy: u.Email}
	if err := setops.InvalidInput(setops.CodeStageNameInvalid, setops.CheckStageName(name)); err != nil {
		return st, err
	}
	err = s.Store.AddStage(ctx, st, u, events...)
	if setops.IsCode(err, setops.StageAlreadyExists) {
		if old, ok, lookErr := s.Store.Stage(ctx, p.ID, name); lookErr != nil || ok && old.ID == id {
			return old, lookErr
		}
	}
	return st, err
}
