// Package schedule runs what the apps' schedules say, each time as a one-off task of the active release with the app's committed
// settings. It decides when; the engine runs, the store remembers what was seen to. Start with Service.Tick.
//
// A run is claimed in the store by its schedule and the time at which it is due before it is started, under an id that follows
// from both. Whoever goes on after a crash, this server or one that takes over, starts it again under that id, which starts nothing
// that was started before: so each is run once.
//
//	due ──► claimed ──► running ──► ended
//	            └─────► failed
package schedule

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// Window is how late a run may begin: where no server ran when it was due, the latest that was missed is made up for within it.
// It is as long as the engine knows of tasks that have ended, or one could be run twice.
const Window = time.Hour

// Store remembers.
type Store interface {
	Schedules(ctx context.Context) ([]setops.CommittedSchedule, error)
	SchedulesOf(ctx context.Context, stageID, app string) ([]setops.CommittedSchedule, error)
	// ClaimRun says that a schedule is seen to until due, with what its last run is from then on. Claimed is false for all but
	// the first who say so.
	ClaimRun(ctx context.Context, c setops.CommittedSchedule, due time.Time, last setops.ScheduleRun) (claimed bool, err error)
	// SetRun says what became of the last run, as long as the schedule is seen to until c.Due and no further.
	SetRun(ctx context.Context, c setops.CommittedSchedule, last setops.ScheduleRun) error
	StageRef(ctx context.Context, id string) (setops.StageRef, bool, error)
	App(ctx context.Context, stageID, name string) (*setops.App, bool, error)
}

// Engine runs.
type Engine interface {
	Run(ctx context.Context, t engine.OneOff) (setops.Task, error)
	List(ctx context.Context, stageID, app string) ([]setops.Task, error)
	EnsureStage(ctx context.Context, s setops.StageRef, fence int64) error
	engine.Teller
}

// Service does it.
type Service struct {
	Store   Store
	Engine  Engine
	OpenEnv func(stageID string, app *setops.App) (map[string]string, error)
	Now     func() time.Time
	Logger  *slog.Logger
}

// Run ticks at the beginning of each minute, which is when schedules are due, and at once. It returns when ctx ends.
func (s *Service) Run(ctx context.Context) {
	for {
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Error("run schedules", "error", err)
		}
		now := s.Now()
		timer := time.NewTimer(now.Truncate(time.Minute).Add(time.Minute).Sub(now))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// Tick starts what is due and notes what has ended. Only one server may do so at a time. What cannot be started now, because the
// engine or the store does not answer, is tried again at the next tick.
func (s *Service) Tick(ctx context.Context) error {
	all, err := s.Store.Schedules(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range all {
		if err := s.see(ctx, c); err != nil {
			errs = append(errs, fmt.Errorf("schedule %s of app %s on stage %s: %w", c.Name, c.App, c.StageID, err))
		}
	}
	return errors.Join(errs...)
}

// List gives the schedules of an app, by name, with what is known of their last runs at this moment.
func (s *Service) List(ctx context.Context, stageID, app string) ([]setops.CommittedSchedule, error) {
	all, err := s.Store.SchedulesOf(ctx, stageID, app)
	if err != nil {
		return nil, err
	}
	for i, c := range all {
		if all[i].Last, err = s.observed(ctx, c); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// see looks after one schedule.
func (s *Service) see(ctx context.Context, c setops.CommittedSchedule) error {
	if c.Last.State == setops.RunClaimed {
		return s.start(ctx, c)
	}
	last, err := s.observed(ctx, c)
	if err != nil {
		return err
	}
	if last.State != c.Last.State {
		c.Last = last
		if err := s.Store.SetRun(ctx, c, last); err != nil {
			return err
		}
	}
	due := latest(c, s.Now())
	if due.IsZero() {
		return nil
	}
	if last.State == setops.RunRunning {
		return s.skip(ctx, c, due)
	}
	next := setops.ScheduleRun{Due: due, State: setops.RunClaimed, TaskID: taskID(c, due)}
	claimed, err := s.Store.ClaimRun(ctx, c, due, next)
	if err != nil || !claimed {
		return err
	}
	c.Due, c.Last = due, next
	return s.start(ctx, c)
}

// latest gives the last time until now at which a schedule is due and was not seen to; zero where there is none in the window.
func latest(c setops.CommittedSchedule, now time.Time) (due time.Time) {
	from := now.Add(-Window)
	for _, seen := range []time.Time{c.Since, c.Due} {
		if seen.After(from) {
			from = seen
		}
	}
	for next := c.Next(from); !next.IsZero() && !next.After(now); next = c.Next(next) {
		due = next
	}
	return due
}

// observed is the last run as the engine knows it. A task that it knows no more has ended, more than an hour ago.
func (s *Service) observed(ctx context.Context, c setops.CommittedSchedule) (setops.ScheduleRun, error) {
	last := c.Last
	if last.State != setops.RunRunning {
		return last, nil
	}
	tasks, err := s.Engine.List(ctx, c.StageID, c.App)
	if err != nil {
		return last, err
	}
	i := slices.IndexFunc(tasks, func(t setops.Task) bool { return t.ID == last.TaskID })
	if i < 0 {
		last.State = setops.RunEnded
		return last, nil
	}
	if t := tasks[i]; t.Status.Ended() {
		last.State, last.EndedAt, last.ExitCode, last.Reason = setops.RunEnded, t.StoppedAt, t.ExitCode, t.Reason
	}
	return last, nil
}

// skip says in the log of the run that has not ended that another one is due.
func (s *Service) skip(ctx context.Context, c setops.CommittedSchedule, due time.Time) error {
	c.Last.Skipped = due
	claimed, err := s.Store.ClaimRun(ctx, c, due, c.Last)
	if err != nil || !claimed {
		return err
	}
	return s.Engine.Tell(ctx, c.Last.TaskID, fmt.Sprintf("Schedule %s is due at %s and is skipped: this run has not ended", c.Name, due.UTC().Format(time.RFC3339)))
}

// start starts the run that is claimed, or finds that it was started.
func (s *Service) start(ctx context.Context, c setops.CommittedSchedule) error {
	run := c.Last
	if late := s.Now().Sub(run.Due); late > Window { // claimed by a server that died then: the engine may know no more whether it ran
		run.State, run.Reason = setops.RunFailed, "the server was lost as it started it; whether it ran is not known"
		return s.Store.SetRun(ctx, c, run)
	}
	t, err := s.oneOff(ctx, c)
	if err == nil {
		err = s.Engine.EnsureStage(ctx, t.Stage, 0)
	}
	if err == nil {
		_, err = s.Engine.Run(ctx, t)
	}
	var refused *setops.Error
	switch {
	case errors.Is(err, engine.ErrFenced):
		return nil // the stage is being destroyed
	case errors.As(err, &refused):
		run.State, run.Reason = setops.RunFailed, refused.Error()
		s.Logger.Warn("a schedule could not be run", "stage", c.StageID, "app", c.App, "schedule", c.Name, "reason", run.Reason)
		return s.Store.SetRun(ctx, c, run)
	case err != nil:
		return err
	}
	run.State = setops.RunRunning
	return s.Store.SetRun(ctx, c, run)
}

// oneOff is the task of a run. Errors: AppDoesNotExist, AppHasNoActiveRelease, StageDoesNotExist.
func (s *Service) oneOff(ctx context.Context, c setops.CommittedSchedule) (engine.OneOff, error) {
	ref, there, err := s.Store.StageRef(ctx, c.StageID)
	if err != nil {
		return engine.OneOff{}, err
	}
	if !there {
		return engine.OneOff{}, setops.Refuse(setops.StageDoesNotExist, "the stage is gone")
	}
	app, there, err := s.Store.App(ctx, c.StageID, c.App)
	if err != nil {
		return engine.OneOff{}, err
	}
	if !there {
		return engine.OneOff{}, setops.Refuse(setops.AppDoesNotExist, "app %s is gone", c.App)
	}
	release, active := app.Release(app.ActiveRelease)
	if !active {
		return engine.OneOff{}, setops.Refuse(setops.AppHasNoActiveRelease, "app %s has no active release", c.App)
	}
	env, err := s.OpenEnv(c.StageID, app)
	if err != nil {
		return engine.OneOff{}, err
	}
	t := engine.OneOffOf(ref, app, release, c.Last.TaskID, env, engine.Override{Arguments: c.Command})
	t.Limit = c.Limit()
	t.Note = fmt.Sprintf("Schedule %s, due at %s", c.Name, c.Last.Due.UTC().Format(time.RFC3339))
	return t, nil
}

// taskID follows from the schedule and the time at which it is due: 32 hexadecimal digits.
func taskID(c setops.CommittedSchedule, due time.Time) string {
	hash := sha256.New()
	for _, part := range []string{c.StageID, c.App, c.Name, strconv.FormatInt(c.Since.UnixMilli(), 10), strconv.FormatInt(due.Unix(), 10)} {
		fmt.Fprintf(hash, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}
