package project

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/setops"
)

// DestroyProject destroys all stages of a project, then the project. A server that stops on the way goes on at its next start.
func (s *Service) DestroyProject(ctx context.Context, u setops.User, organization, name string, events ...setops.Event) error {
	p, err := s.Access.Project(ctx, u, organization, name, auth.DestroyProject)
	if err != nil {
		return err
	}
	return s.destroyProject(context.WithoutCancel(ctx), setops.StageRef{Organization: organization, Project: name}, p.ID, u.Email, events...)
}

// destroyProject lists the stages when no new one can come any more.
func (s *Service) destroyProject(ctx context.Context, ref setops.StageRef, id, by string, events ...setops.Event) error {
	defer s.alone(id)()
	if err := s.Store.MarkProjectDestroying(ctx, id, events...); err != nil {
		return err
	}
	stages, err := s.Store.Stages(ctx, id)
	if err != nil {
		return err
	}
	for _, st := range stages {
		ref.ID, ref.Name = st.ID, st.Name
		if err := s.destroy(ctx, ref, by); err != nil {
			return err
		}
	}
	return s.finishProject(ctx, ref, id)
}

// finishProject leaves alone what somebody else has destroyed meanwhile: its name may be another project's by now.
func (s *Service) finishProject(ctx context.Context, ref setops.StageRef, id string) error {
	_, ids, err := s.Store.DestroyingProjects(ctx)
	if err != nil || !slices.Contains(ids, id) {
		return err
	}
	if err := s.RemoveImages(ctx, ref.Organization+"/"+ref.Project); err != nil {
		return fmt.Errorf("remove images of project %s: %w", ref.Project, err)
	}
	return s.Store.RemoveProject(ctx, id)
}

// DestroyStage stops and removes everything of a stage. Commits that wait are cancelled, and so is one that runs, unless it is
// past its commit point: then it comes to its end first. A server that stops on the way goes on at its next start.
func (s *Service) DestroyStage(ctx context.Context, u setops.User, organization, project, name string, events ...setops.Event) error {
	_, ref, err := s.Access.Stage(ctx, u, organization, project, name, auth.DestroyStage)
	if err != nil {
		return err
	}
	return s.destroy(context.WithoutCancel(ctx), ref, u.Email, events...)
}

// alone waits until nobody else destroys what has the id. Images are removed by name: who came second would remove those of a
// new stage of the name. The function that it returns lets the next one in.
func (s *Service) alone(id string) (leave func()) {
	for {
		s.mu.Lock()
		other := s.busy[id]
		if other == nil {
			break
		}
		s.mu.Unlock()
		<-other
	}
	defer s.mu.Unlock()
	if s.busy == nil {
		s.busy = map[string]chan struct{}{}
	}
	own := make(chan struct{})
	s.busy[id] = own
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.busy, id)
		close(own)
	}
}

// isFree is how often a stage that is to be destroyed is asked whether its last commit has ended.
const isFree = 100 * time.Millisecond

// destroy waits until no commit of the stage runs. No new one can begin meanwhile, and each ends within its deadlines.
func (s *Service) destroy(ctx context.Context, ref setops.StageRef, by string, events ...setops.Event) error {
	defer s.alone(ref.ID)()
	ticker := time.NewTicker(isFree)
	defer ticker.Stop()
	for {
		busy, err := s.Store.MarkDestroying(ctx, ref.ID, by, s.Now(), events...)
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

// finishDestroying removes nothing by name of a stage that is gone: another one may have the name by now.
func (s *Service) finishDestroying(ctx context.Context, ref setops.StageRef) error {
	if err := s.RemoveStage(ctx, ref.ID); err != nil {
		return fmt.Errorf("remove tasks and network of stage %s: %w", ref.Name, err)
	}
	left, err := s.Store.Destroying(ctx)
	if err != nil || !slices.ContainsFunc(left, func(r setops.StageRef) bool { return r.ID == ref.ID }) {
		return err
	}
	if err := s.RemoveImages(ctx, ref.Organization+"/"+ref.Project+"/"+ref.Name); err != nil {
		return fmt.Errorf("remove images of stage %s: %w", ref.Name, err)
	}
	return s.Store.RemoveStage(ctx, ref.ID)
}

// Resume goes on with stages and projects that were being destroyed when the server stopped. What one of them fails at keeps
// none of the others.
func (s *Service) Resume(ctx context.Context) error {
	stages, err := s.Store.Destroying(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, ref := range stages {
		failed = errors.Join(failed, s.destroy(ctx, ref, ""))
	}
	projects, ids, err := s.Store.DestroyingProjects(ctx)
	if err != nil {
		return errors.Join(failed, err)
	}
	for i, ref := range projects {
		failed = errors.Join(failed, s.destroyProject(ctx, ref, ids[i], ""))
	}
	return failed
}
