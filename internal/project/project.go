// Package project makes, lists and destroys projects and stages.
package project

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
)

// Store is what projects need of the store.
type Store interface {
	auth.AccessStore
	AddProject(ctx context.Context, organizationID string, p setops.Project, u setops.User) error
	Projects(ctx context.Context, organizationID string) ([]setops.Project, error)
	RemoveProject(ctx context.Context, id string) error
	AddStage(ctx context.Context, s setops.Stage, u setops.User) error
	MarkDestroying(ctx context.Context, stageID, by string, now time.Time) (busy bool, err error)
	MarkProjectDestroying(ctx context.Context, id string) error
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
}

// CreateProject makes a project with the user as its admin; one that has that very id already is the same one. Errors:
// ProjectNameInvalid, ProjectAlreadyExists.
func (s *Service) CreateProject(ctx context.Context, u setops.User, organization, name, id string) (setops.Project, error) {
	p := setops.Project{ID: id, Name: name, CreatedAt: s.Now().UTC(), CreatedBy: u.Email}
	if err := auth.SameOrganization(u, organization); err != nil {
		return p, err
	}
	if err := setops.InvalidInput(setops.ProjectNameInvalid, setops.CheckProjectName(name)); err != nil {
		return p, err
	}
	err := s.Store.AddProject(ctx, u.OrganizationID, p, u)
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

// DestroyProject destroys all stages of a project, then the project. A server that stops on the way goes on at its next start.
func (s *Service) DestroyProject(ctx context.Context, u setops.User, organization, name string) error {
	p, err := s.Access.Project(ctx, u, organization, name, auth.DestroyProject)
	if err != nil {
		return err
	}
	stages, err := s.Store.Stages(ctx, p.ID)
	if err != nil {
		return err
	}
	if err := s.Store.MarkProjectDestroying(ctx, p.ID); err != nil {
		return err
	}
	ref := setops.StageRef{Organization: organization, Project: name}
	for _, st := range stages {
		ref.ID, ref.Name = st.ID, st.Name
		if err := s.destroy(context.WithoutCancel(ctx), ref, u.Email); err != nil {
			return err
		}
	}
	return s.finishProject(context.WithoutCancel(ctx), ref, p.ID)
}

func (s *Service) finishProject(ctx context.Context, ref setops.StageRef, id string) error {
	if err := s.RemoveImages(ctx, ref.Organization+"/"+ref.Project); err != nil {
		return fmt.Errorf("remove images of project %s: %w", ref.Project, err)
	}
	return s.Store.RemoveProject(ctx, id)
}

// CreateStage makes a stage with the user as its admin; one that has that very id already is the same one. Errors:
// StageNameInvalid, StageAlreadyExists.
func (s *Service) CreateStage(ctx context.Context, u setops.User, organization, project, name, id string) (setops.Stage, error) {
	p, err := s.Access.Project(ctx, u, organization, project, auth.CreateStage)
	if err != nil {
		return setops.Stage{}, err
	}
	st := setops.Stage{ID: id, ProjectID: p.ID, Name: name, CreatedAt: s.Now().UTC(), CreatedBy: u.Email}
	if err := setops.InvalidInput(setops.CodeStageNameInvalid, setops.CheckStageName(name)); err != nil {
		return st, err
	}
	err = s.Store.AddStage(ctx, st, u)
	if setops.IsCode(err, setops.StageAlreadyExists) {
		if old, ok, lookErr := s.Store.Stage(ctx, p.ID, name); lookErr != nil || ok && old.ID == id {
			return old, lookErr
		}
	}
	return st, err
}

// DestroyStage stops and removes everything of a stage. Commits that wait are cancelled, and so is one that runs, unless it is
// past its commit point: then it comes to its end first. A server that stops on the way goes on at its next start.
func (s *Service) DestroyStage(ctx context.Context, u setops.User, organization, project, name string) error {
	_, ref, err := s.Access.Stage(ctx, u, organization, project, name, auth.DestroyStage)
	if err != nil {
		return err
	}
	return s.destroy(context.WithoutCancel(ctx), ref, u.Email)
}

// isFree is how often a stage that is to be destroyed is asked whether its last commit has ended.
const isFree = 100 * time.Millisecond

// destroy waits until no commit of the stage runs. No new one can begin meanwhile, and each ends within its deadlines.
func (s *Service) destroy(ctx context.Context, ref setops.StageRef, by string) error {
	ticker := time.NewTicker(isFree)
	defer ticker.Stop()
	for {
		busy, err := s.Store.MarkDestroying(ctx, ref.ID, by, s.Now())
		if err != nil {
			return err
		}
		if !busy {
			return s.finishDestroying(ctx, ref)
		}
		select {
		case <-ticker.C:
		case <-s.Stopping:
			return errors.New("the server stops; it goes on destroying the stage at its next start")
		}
	}
}

func (s *Service) finishDestroying(ctx context.Context, ref setops.StageRef) error {
	if err := s.RemoveStage(ctx, ref.ID); err != nil {
		return fmt.Errorf("remove tasks and network of stage %s: %w", ref.Name, err)
	}
	if err := s.RemoveImages(ctx, ref.Organization+"/"+ref.Project+"/"+ref.Name); err != nil {
		return fmt.Errorf("remove images of stage %s: %w", ref.Name, err)
	}
	return s.Store.RemoveStage(ctx, ref.ID)
}

// Resume goes on with stages and projects that were being destroyed when the server stopped.
func (s *Service) Resume(ctx context.Context) error {
	stages, err := s.Store.Destroying(ctx)
	if err != nil {
		return err
	}
	for _, ref := range stages {
		if err := s.destroy(ctx, ref, ""); err != nil {
			return err
		}
	}
	projects, ids, err := s.Store.DestroyingProjects(ctx)
	if err != nil {
		return err
	}
	for i, ref := range projects {
		if err := s.resumeProject(ctx, ref, ids[i]); err != nil {
			return err
		}
	}
	return nil
}

// resumeProject destroys the stages of a project that were not begun with.
func (s *Service) resumeProject(ctx context.Context, ref setops.StageRef, id string) error {
	stages, err := s.Store.Stages(ctx, id)
	if err != nil {
		return err
	}
	for _, st := range stages {
		ref.ID, ref.Name = st.ID, st.Name
		if err := s.destroy(ctx, ref, st.CreatedBy); err != nil {
			return err
		}
	}
	return s.finishProject(ctx, ref, id)
}
