package store

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

func scheduleCreate(name, cron string) changeset.Command {
	return &changeset.ScheduleCreate{AppName: "web", Schedule: name, Cron: cron, Command: []string{"rake", "clean"}, Timeout: new(60)}
}

func onlySchedule(t *testing.T, s *Store) setops.CommittedSchedule {
	t.Helper()
	all, err := s.Schedules(t.Context())
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("%d schedules", len(all))
	}
	return all[0]
}

func TestARunIsClaimedOnce(t *testing.T) {
	t.Parallel()
	s := withStage(t)
	pass(t, s, "c-1", plan.Plan{}, &changeset.AppCreate{AppName: "web"}, scheduleCreate("nightly", "0 3 * * *"))
	c := onlySchedule(t, s)
	if c.App != "web" || c.Name != "nightly" || c.Cron != "0 3 * * *" || !c.Since.Equal(now) || !c.Due.IsZero() || c.Last.State != "" {
		t.Fatalf("%+v", c)
	}
	due := now.Add(time.Hour).Truncate(time.Hour)
	var won atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			claimed, err := s.ClaimRun(t.Context(), c, due, setops.ScheduleRun{Due: due, State: setops.RunClaimed, TaskID: "t-1"})
			if err != nil {
				t.Error(err)
			}
			if claimed {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d have it", won.Load())
	}
	must(t, s.SetRun(t.Context(), c, setops.ScheduleRun{State: setops.RunFailed})) // it does not know that more was seen to
	if c := onlySchedule(t, s); c.Last.State != setops.RunClaimed || c.Last.TaskID != "t-1" || !c.Due.Equal(due) {
		t.Errorf("%+v", c)
	}
	c.Due = due
	must(t, s.SetRun(t.Context(), c, setops.ScheduleRun{Due: due, State: setops.RunEnded, TaskID: "t-1", ExitCode: new(3), EndedAt: now}))
	if last := onlySchedule(t, s).Last; last.State != setops.RunEnded || *last.ExitCode != 3 || !last.EndedAt.Equal(now) {
		t.Errorf("%+v", last)
	}
	if claimed, err := s.ClaimRun(t.Context(), c, due.Add(-time.Hour), setops.ScheduleRun{}); claimed || err != nil {
		t.Errorf("an older one is claimed: %v", err)
	}
}

func TestAScheduleThatChangesItsTimeBeginsAnewAndOtherwiseGoesOn(t *testing.T) {
	t.Parallel()
	s := withStage(t)
	pass(t, s, "c-1", plan.Plan{}, &changeset.AppCreate{AppName: "web"}, scheduleCreate("nightly", "0 3 * * *"))
	old := onlySchedule(t, s)
	if claimed, err := s.ClaimRun(t.Context(), old, now.Add(time.Hour), setops.ScheduleRun{State: setops.RunRunning}); !claimed || err != nil {
		t.Fatal(err)
	}
	destroy := &changeset.ScheduleDestroy{AppName: "web", Schedule: "nightly"}
	pass(t, s, "c-2", plan.Plan{}, destroy, scheduleCreate("nightly", "0 3 * * *"), &changeset.EnvSet{AppName: "web", Key: "A", Value: "s1:a"})
	if c := onlySchedule(t, s); c.Due.IsZero() {
		t.Error("the same time, and the last run is forgotten")
	}
	pass(t, s, "c-3", plan.Plan{}, destroy, scheduleCreate("nightly", "0 4 * * *"))
	if c := onlySchedule(t, s); !c.Due.IsZero() || c.Cron != "0 4 * * *" {
		t.Errorf("%+v", c)
	}
	pass(t, s, "c-4", plan.Plan{}, &changeset.AppDestroy{AppName: "web"})
	if all, err := s.Schedules(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
	if claimed, err := s.ClaimRun(t.Context(), old, now.Add(2*time.Hour), setops.ScheduleRun{}); claimed || err != nil {
		t.Errorf("one that is gone is claimed: %v", err)
	}
}

func TestLogRetentionIsCommittedAndKeptWithTheCommit(t *testing.T) {
	t.Parallel()
	s := withStage(t)
	retention := func(want int) {
		t.Helper()
		days, err := s.LogRetention(t.Context(), "s-1")
		must(t, err)
		spec, err := s.Spec(t.Context(), "s-1")
		must(t, err)
		if days != want || spec.KeptLogs() != want {
			t.Errorf("%d and %d days, not %d", days, spec.KeptLogs(), want)
		}
	}
	retention(14)
	pass(t, s, "c-1", plan.Plan{}, &changeset.LogSet{Retention: new(30)})
	retention(30)
	st, _, err := s.Stage(t.Context(), "p-1", "production")
	must(t, err)
	if st.LogRetention != 30 {
		t.Errorf("%+v", st)
	}
	delta, err := s.Delta(t.Context(), "c-1")
	must(t, err)
	if delta.Before.LogRetention != 0 || delta.After.LogRetention != 30 {
		t.Errorf("%+v", delta)
	}
	pass(t, s, "c-2", plan.Plan{}, &changeset.LogUnset{Fields: []string{"retention"}})
	retention(14)
	if days, err := s.LogRetention(t.Context(), "gone"); days != 14 || err != nil {
		t.Errorf("%d, %v", days, err)
	}
}
