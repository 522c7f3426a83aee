package host

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// EnsureStage makes the stage's network.
func (s *Supervisor) EnsureStage(ctx context.Context, stage setops.StageRef, fence int64) error {
	if err := s.admit(stage.ID, fence); err != nil {
		return fmt.Errorf("make network of stage %s: %w", stage.Name, err)
	}
	if err := s.refs.Write(stage.ID, stage); err != nil {
		return err
	}
	s.mu.Lock()
	s.stages[stage.ID] = stage
	s.mu.Unlock()
	if err := s.cfg.Runtime.EnsureNetwork(ctx, stage); err != nil {
		return fmt.Errorf("make network of stage %s: %w", stage.Name, err)
	}
	return nil
}

// SetFronts makes exactly these private names resolve for the stage's tasks, and listens for them.
func (s *Supervisor) SetFronts(ctx context.Context, stageID string, fronts []engine.Front) error {
	if err := s.cfg.Runtime.SetFronts(ctx, stageID, fronts); err != nil {
		return fmt.Errorf("set private names of stage %s: %w", stageID, err)
	}
	return nil
}

// RemoveStage stops every task of the stage and removes all that it had.
func (s *Supervisor) RemoveStage(ctx context.Context, stageID string) error {
	s.mu.Lock()
	s.fences[stageID] = closedFence
	s.mu.Unlock()
	if err := s.end(ctx, stageID, "", verdict.ReasonStage, 0); err != nil {
		return err
	}
	s.mu.Lock()
	stage, known := s.stages[stageID]
	s.mu.Unlock()
	if err := s.cfg.Runtime.RemoveNetwork(ctx, stageID); err != nil {
		return fmt.Errorf("remove network of stage %s: %w", stageID, err)
	}
	if known {
		prefix := path.Join(stage.Organization, stage.Project, stage.Name)
		if err := s.cfg.Runtime.RemoveImages(ctx, prefix); err != nil {
			return fmt.Errorf("remove images of %s: %w", prefix, err)
		}
	}
	if err := errors.Join(s.forget(stageID, ""), s.logs.Remove(stageID, "")); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.stages, stageID)
	s.mu.Unlock()
	return errors.Join(s.refs.Remove(stageID), s.numbers.Remove(stageID))
}

// RemoveApp removes the logs and records of an app, and the one-off tasks that it may still have.
func (s *Supervisor) RemoveApp(ctx context.Context, stageID, app string, fence int64) error {
	if err := s.end(ctx, stageID, app, verdict.ReasonApp, fence); err != nil {
		return fmt.Errorf("remove app %s: %w", app, err)
	}
	return errors.Join(s.forget(stageID, app), s.logs.Remove(stageID, app))
}

// end stops all tasks of a stage, or of an app of it, and waits until they have ended. Errors: engine.ErrFenced, and then it has
// stopped none.
func (s *Supervisor) end(ctx context.Context, stageID, app, reason string, fence int64) error {
	s.mu.Lock()
	if s.isDeclaredSince(stageID, app, fence) {
		s.mu.Unlock()
		return engine.ErrFenced
	}
	var ending []string
	for _, g := range s.generations {
		if g.Stage.ID == stageID && (app == "" || g.App == app) {
			s.remove(g, reason)
		}
	}
	for _, t := range s.tasks {
		if t.StageID == stageID && (app == "" || t.App == app) {
			t.requestStop(reason)
			ending = append(ending, t.ID)
		}
	}
	s.mu.Unlock()
	for _, id := range ending {
		if _, err := s.Wait(ctx, id); err != nil && !setops.IsCode(err, setops.TaskDoesNotExist) {
			return err
		}
	}
	return nil
}

// forget drops ended tasks.
func (s *Supervisor) forget(stageID, app string) error {
	s.mu.Lock()
	var ended []string
	for id, t := range s.tasks {
		if t.StageID == stageID && (app == "" || t.App == app) && t.Status == setops.Stopped {
			ended = append(ended, id)
			s.drop(t)
		}
	}
	s.notify(stageID)
	s.mu.Unlock()
	var errs []error
	for _, id := range ended {
		errs = append(errs, s.records.Remove(id))
	}
	return errors.Join(errs...)
}

// Prepare fetches and unpacks an image.
func (s *Supervisor) Prepare(ctx context.Context, i engine.Image) error {
	err := s.cfg.Runtime.Prepare(ctx, i)
	if err == nil || ctx.Err() != nil {
		return err
	}
	var image *ImageError
	switch {
	case errors.As(err, &image):
		return &engine.GateError{Check: verdict.CheckImage, Cause: setops.Printable(image.Reason)}
	case isFull(err):
		return &engine.GateError{Check: verdict.CheckImage, Cause: startFailure(err).Cause, Fault: true}
	}
	cause := fmt.Sprintf("fetch and unpack %s: %v", i.Digest, err)
	return &engine.GateError{Check: verdict.CheckImage, Cause: setops.Printable(cause), Fault: true, Temporary: true}
}

// ForgetImages frees what Prepare has made of images.
func (s *Supervisor) ForgetImages(ctx context.Context, images []engine.Image) error {
	var errs []error
	for _, i := range images {
		if err := s.cfg.Runtime.RemoveImage(ctx, i); err != nil {
			errs = append(errs, fmt.Errorf("forget image %s of %s: %w", i.Digest, i.Repository, err))
		}
	}
	return errors.Join(errs...)
}
