package httpapi

import (
	"context"

	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

func (s *Server) listSchedules(ctx context.Context, in *InApp) (*answer[api.ScheduleList], error) {
	_, ref, a, err := s.app(ctx, *in)
	if err != nil {
		return nil, err
	}
	all, err := s.Schedules.List(ctx, ref.ID, a.Name)
	list := api.ScheduleList{Schedules: make([]api.Schedule, 0, len(all))}
	now := s.Schedules.Now()
	for _, c := range all {
		wire := wireSchedule(c.Name, c.Schedule)
		wire.NextRun, wire.LastRun = moment(c.Next(now)), wireRun(c.Last)
		list.Schedules = append(list.Schedules, wire)
	}
	return answered(list), err
}

func wireSchedule(name string, s setops.Schedule) api.Schedule {
	return api.Schedule{Name: name, Cron: s.Cron, Command: s.Command, Timeout: s.Timeout}
}

// wireRun is nil where there was no run. One that is claimed is as good as running.
func wireRun(r setops.ScheduleRun) *api.ScheduleRun {
	if r.State == "" {
		return nil
	}
	state := r.State
	if state == setops.RunClaimed {
		state = setops.RunRunning
	}
	return &api.ScheduleRun{
		Due: r.Due.UTC(), State: string(state), TaskID: r.TaskID, EndedAt: moment(r.EndedAt), ExitCode: r.ExitCode,
		Reason: r.Reason, Skipped: moment(r.Skipped),
	}
}
