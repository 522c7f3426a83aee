package commit

import (
	"context"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/setops"
)

// kick sees to it that the queue of a stage is worked on.
func (s *Service) kick(stage setops.StageRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held || s.StandsBy || s.ctx.Err() != nil {
		return
	}
	_, works := s.busy[stage.ID]
	s.busy[stage.ID] = works // who works looks once more
	if works {
		return
	}
	s.begin()
	s.wg.Go(func() { s.serve(stage) })
}

// serve runs the commits of a stage one after the other until none waits.
func (s *Service) serve(stage setops.StageRef) {
	for {
		c, ok, err := s.claim(stage)
		switch {
		case err != nil && s.ctx.Err() == nil:
			s.Logger.Error("begin the next commit", "stage", stage.ID, "error", err)
			if s.pause(s.ctx) {
				continue
			}
		case ok:
			s.lead(stage, c, s.run)
			continue
		}
		if s.leaves(stage.ID) {
			return
		}
	}
}

func (s *Service) claim(stage setops.StageRef) (changeset.Commit, bool, error) {
	if s.isHeld() || s.ctx.Err() != nil {
		return changeset.Commit{}, false, nil
	}
	now := s.Now()
	return s.Store.Claim(s.ctx, stage.ID, s.Owner, now, now.Add(s.Lease))
}

// leaves ends the work on a queue, unless somebody was put into it meanwhile.
func (s *Service) leaves(stageID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[stageID] && !s.held && s.ctx.Err() == nil {
		s.busy[stageID] = false
		return false
	}
	delete(s.busy, stageID)
	s.done()
	return true
}

// watchQueues works until the server stops.
func (s *Service) watchQueues() {
	ticker := time.NewTicker(s.Again)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.ctx.Done():
			return
		}
		s.forget(s.Now())
		if err := s.tidyInTime(); err != nil && s.ctx.Err() == nil {
			s.Logger.Error("look after the queues of commits", "error", err)
		}
	}
}

// tidyInTime gives up a look that takes longer than a lease: a database that is gone without a word answers no more on the
// connections that there were, and the network notices that after a quarter of an hour.
func (s *Service) tidyInTime() error {
	ctx, cancel := context.WithTimeout(s.ctx, s.Lease)
	defer cancel()
	return s.tidyQueues(ctx)
}

func (s *Service) tidyQueues(ctx context.Context) error {
	ended, err := s.Store.GiveUp(ctx, s.Now(), tooLate())
	if err != nil {
		return fmt.Errorf("give up commits that wait too long: %w", err)
	}
	for _, c := range ended {
		s.moves(c.StageID)
	}
	waiting, err := s.Store.Waiting(ctx)
	if err != nil {
		return fmt.Errorf("list stages with commits that wait: %w", err)
	}
	for _, stage := range waiting {
		s.kick(stage)
	}
	return s.takeOverAll(ctx)
}

func tooLate() changeset.Failure {
	return changeset.Failure{
		Code: string(setops.CommitAlreadyRunning), Temporary: true,
		Message: "its turn did not come in time: other commits of the stage were running; give it longer with --wait-timeout",
	}
}

// takeOverAll goes on with the commits that nobody runs: another server has left them, or the store gave this one a turn and
// the answer was lost.
func (s *Service) takeOverAll(ctx context.Context) error {
	expired, err := s.Store.Expired(ctx, s.Now())
	if err != nil {
		return fmt.Errorf("list commits whose lease is over: %w", err)
	}
	for _, c := range expired {
		if s.leads(c.ID) {
			continue
		}
		if err := s.takeOver(ctx, c); err != nil {
			return fmt.Errorf("take over commit %s: %w", c.ID, err)
		}
	}
	return nil
}

// leads reports a commit that runs here. Its lease may be over all the same, where the store does not take the renewal.
func (s *Service) leads(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turns[id] != nil
}

func (s *Service) takeOver(ctx context.Context, c changeset.Commit) error {
	stage, ok, err := s.Store.StageRef(ctx, c.StageID)
	if err != nil || !ok || s.isHeld() {
		return err
	}
	now := s.Now()
	c, ok, err = s.Store.TakeOver(ctx, c.ID, s.Owner, now, now.Add(s.Lease))
	if err != nil || !ok {
		return err
	}
	s.Logger.Info("commit taken over", "commit", c.ID, "stage", stage.ID)
	s.mu.Lock()
	s.begin()
	s.mu.Unlock()
	s.wg.Go(func() {
		defer s.finished()
		s.lead(stage, c, s.goOn)
	})
	return nil
}
