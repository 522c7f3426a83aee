package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/schedule"
	"github.com/setopsco/setops/internal/setops"
)

var (
	stage = setops.StageRef{ID: "s-1", Organization: "demo", Project: "shop", Name: "production"}
	noon  = time.Date(2026, 3, 17, 12, 0, 0, 0, time.UTC)
)

// world is a store and an engine in memory, and a clock that stands still. What servers share outlives each of them.
type world struct {
	mu    sync.Mutex
	now   time.Time
	all   map[string]setops.CommittedSchedule
	app   *setops.App
	tasks map[string]setops.Task
	ran   []engine.OneOff
	told  []string

	lost bool  // what is written of a run gets lost: the server dies
	down error // of the engine
}

func newWorld(cron string) *world {
	app := setops.NewApp("web")
	app.Releases, app.ActiveRelease = []setops.Release{{ID: 1, Digest: "sha256:1"}, {ID: 2, Digest: "sha256:2"}}, 2
	app.Container.Command, app.Container.Entrypoint = []string{"puma"}, []string{"launcher"}
	return &world{
		now: noon, app: app, tasks: map[string]setops.Task{},
		all: map[string]setops.CommittedSchedule{"often": {
			StageID: "s-1", App: "web", Name: "often", Since: noon.Add(-time.Second),
			Schedule: setops.Schedule{Cron: cron, Command: []string{"rake", "clean up"}, Timeout: 90},
		}},
	}
}

// server is one that runs on the world, as a process of its own.
func (w *world) server() *schedule.Service {
	return &schedule.Service{
		Store: w, Engine: w, Now: w.clock, Logger: slog.New(slog.DiscardHandler),
		OpenEnv: func(string, *setops.App) (map[string]string, error) { return map[string]string{"A": "open"}, nil },
	}
}

func (w *world) clock() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }

// at sets the clock and has a new server look once.
func (w *world) at(t *testing.T, now time.Time) {
	t.Helper()
	w.now = now
	if err := w.server().Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) end(code int) {
	for id, task := range w.tasks {
		if task.Status == setops.Running {
			task.Status, task.ExitCode, task.StoppedAt, task.Reason = setops.Stopped, &code, w.now, fmt.Sprintf("exited with code %d", code)
			w.tasks[id] = task
		}
	}
}

func (w *world) last() setops.ScheduleRun { return w.all["often"].Last }

func (w *world) Schedules(context.Context) ([]setops.CommittedSchedule, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Values(w.all)), nil
}

func (w *world) SchedulesOf(ctx context.Context, _, _ string) ([]setops.CommittedSchedule, error) {
	return w.Schedules(ctx)
}

func (w *world) ClaimRun(_ context.Context, c setops.CommittedSchedule, due time.Time, last setops.ScheduleRun) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	have, there := w.all[c.Name]
	if !there || !have.Due.Before(due) {
		return false, nil
	}
	have.Due, have.Last = due, last
	w.all[c.Name] = have
	return true, nil
}

func (w *world) SetRun(_ context.Context, c setops.CommittedSchedule, last setops.ScheduleRun) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost {
		return errors.New("the server was killed")
	}
	if have := w.all[c.Name]; have.Due.Equal(c.Due) {
		have.Last = last
		w.all[c.Name] = have
	}
	return nil
}

func (w *world) StageRef(context.Context, string) (setops.StageRef, bool, error) {
	return stage, true, nil
}

func (w *world) App(context.Context, string, string) (*setops.App, bool, error) {
	return w.app, true, nil
}

func (w *world) EnsureStage(context.Context, setops.StageRef, int64) error { return w.down }

func (w *world) Run(_ context.Context, t engine.OneOff) (setops.Task, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if have, there := w.tasks[t.ID]; there {
		return have, nil
	}
	w.ran = append(w.ran, t)
	w.tasks[t.ID] = setops.Task{ID: t.ID, App: t.App, Status: setops.Running}
	return w.tasks[t.ID], nil
}

func (w *world) List(context.Context, string, string) ([]setops.Task, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Values(w.tasks)), nil
}

func (w *world) Tell(_ context.Context, id, line string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, id[:4]+" "+line)
	return nil
}

func (w *world) runs(t *testing.T, want int) {
	t.Helper()
	if len(w.ran) != want {
		t.Fatalf("%d runs, not %d", len(w.ran), want)
	}
}

func TestWhatIsDueIsRunOnceAsATaskOfTheActiveRelease(t *testing.T) {
	t.Parallel()
	w := newWorld("*/5 * * * *")
	w.at(t, noon.Add(-time.Millisecond))
	w.runs(t, 0)
	w.at(t, noon)
	w.at(t, noon)
	w.at(t, noon.Add(4*time.Minute))
	w.runs(t, 1)
	ran := w.ran[0]
	if ran.Release != 2 || ran.Stage != stage || ran.Limit != 90*time.Second || len(ran.ID) != 32 ||
		!slices.Equal(ran.Container.Command, []string{"rake", "clean up"}) || !slices.Equal(ran.Container.Entrypoint, []string{"launcher"}) ||
		!slices.Contains(ran.Container.Env, "A=open") {
		t.Errorf("%+v", ran)
	}
	if ran.Note != "Schedule often, due at 2026-03-17T12:00:00Z" {
		t.Errorf("noted %q", ran.Note)
	}
	w.end(3)
	w.at(t, noon.Add(4*time.Minute))
	if last := w.last(); last.State != setops.RunEnded || *last.ExitCode != 3 || !last.Due.Equal(noon) {
		t.Errorf("%+v", last)
	}
	w.at(t, noon.Add(5*time.Minute))
	w.runs(t, 2)
}

func TestWhatIsDueWhileTheLastRunGoesOnIsSkippedAndSaid(t *testing.T) {
	t.Parallel()
	w := newWorld("* * * * *")
	w.at(t, noon)
	w.at(t, noon.Add(time.Minute))
	w.at(t, noon.Add(2*time.Minute))
	w.runs(t, 1)
	id := w.ran[0].ID
	if len(w.told) != 2 || w.told[1] != id[:4]+" Schedule often is due at 2026-03-17T12:02:00Z and is skipped: this run has not ended" {
		t.Errorf("told %q", w.told)
	}
	if last := w.last(); last.State != setops.RunRunning || last.TaskID != id || !last.Skipped.Equal(noon.Add(2*time.Minute)) {
		t.Errorf("%+v", last)
	}
	w.end(0)
	w.at(t, noon.Add(150*time.Second))
	w.runs(t, 1)
	w.at(t, noon.Add(3*time.Minute))
	w.runs(t, 2)
}

func TestARunIsNotRunAgainByWhoGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld("0 12 * * *")
	w.lost, w.now = true, noon
	if err := w.server().Tick(t.Context()); err == nil {
		t.Fatal("the server was not killed")
	}
	w.lost = false
	w.runs(t, 1)
	w.end(0)
	w.at(t, noon.Add(10*time.Minute)) // another server
	w.at(t, noon.Add(11*time.Minute))
	w.runs(t, 1)
	if last := w.last(); last.State != setops.RunEnded || *last.ExitCode != 0 {
		t.Errorf("%+v", last)
	}
}

func TestServersThatLookAtTheSameTimeRunItOnce(t *testing.T) {
	t.Parallel()
	w := newWorld("* * * * *")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := w.server().Tick(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.runs(t, 1)
}

func TestOfWhatWasMissedTheLatestIsMadeUpForWithinAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld("*/10 * * * *")
	w.at(t, noon.Add(10*time.Hour+5*time.Minute))
	w.runs(t, 1)
	if last := w.last(); !last.Due.Equal(noon.Add(10 * time.Hour)) {
		t.Errorf("%+v", last)
	}
	daily := newWorld("0 12 * * *")
	daily.at(t, noon.Add(schedule.Window+time.Second))
	daily.runs(t, 0)
	late := newWorld("0 12 * * *")
	late.at(t, noon.Add(schedule.Window-time.Second))
	late.runs(t, 1)
}

func TestWhatWasDueBeforeTheCommitIsNotRun(t *testing.T) {
	t.Parallel()
	w := newWorld("0 12 * * *")
	c := w.all["often"]
	c.Since = noon.Add(time.Second)
	w.all["often"] = c
	w.at(t, noon.Add(time.Minute))
	w.runs(t, 0)
	w.at(t, noon.Add(24*time.Hour))
	w.runs(t, 1)
}

func TestARunThatCannotBeStartedSaysWhyAndTheNextOneIsTried(t *testing.T) {
	t.Parallel()
	w := newWorld("* * * * *")
	w.app.ActiveRelease = 0
	w.at(t, noon)
	if last := w.last(); last.State != setops.RunFailed || last.Reason != "app web has no active release" {
		t.Errorf("%+v", last)
	}
	w.app.ActiveRelease = 1
	w.at(t, noon)
	w.runs(t, 0)
	w.at(t, noon.Add(time.Minute))
	w.runs(t, 1)
}

func TestAnEngineThatIsAwayIsAskedAgainForAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld("0 12 * * *")
	w.now, w.down = noon, errors.New("no network")
	if err := w.server().Tick(t.Context()); err == nil {
		t.Error("nobody hears of it")
	}
	w.down = nil
	w.at(t, noon.Add(time.Minute))
	w.runs(t, 1)
	again := newWorld("0 12 * * *")
	again.now, again.down = noon, errors.New("no network")
	if err := again.server().Tick(t.Context()); err == nil {
		t.Error("nobody hears of it")
	}
	again.down = nil
	again.at(t, noon.Add(2*time.Hour))
	again.runs(t, 0)
	if last := again.last(); last.State != setops.RunFailed {
		t.Errorf("%+v", last)
	}
}

func TestItLooksAtOnceAndAtEachFullMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld("* * * * *")
		s := w.server()
		s.Now = time.Now
		var looked []time.Duration
		begun := time.Now().Truncate(time.Minute)
		s.Store = looks{w, func() { looked = append(looked, time.Since(begun)) }}
		time.Sleep(25 * time.Second) // of the bubble's time
		ctx, cancel := context.WithTimeout(t.Context(), 130*time.Second)
		defer cancel()
		s.Run(ctx)
		if want := []time.Duration{25 * time.Second, time.Minute, 2 * time.Minute}; !slices.Equal(looked, want) {
			t.Errorf("at %v", looked)
		}
	})
}

// looks tells of each look at the schedules, and has none.
type looks struct {
	*world
	looked func()
}

func (l looks) Schedules(context.Context) ([]setops.CommittedSchedule, error) {
	l.looked()
	return nil, nil
}
