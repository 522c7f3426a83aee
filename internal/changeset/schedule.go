package changeset

import (
	"fmt"
	"maps"
	"slices"

	"github.com/setopsco/setops/internal/setops"
)

// ScheduleCreate adds a command that is run regularly. Timeout is seconds; where it is nil, an hour.
type ScheduleCreate struct {
	AppName  string   `json:"name"`
	Schedule string   `json:"schedule"`
	Cron     string   `json:"cron"`
	Command  []string `json:"command"`
	Timeout  *int     `json:"timeout,omitempty"`
}

// ScheduleDestroy ends it. A run that has begun goes on to its end.
type ScheduleDestroy struct {
	AppName  string `json:"name"`
	Schedule string `json:"schedule"`
}

func (c *ScheduleCreate) Name() string { return "app:schedule:create" }
func (c *ScheduleCreate) App() string  { return c.AppName }

func (c *ScheduleCreate) Arguments() map[string]any {
	return arguments(c.AppName, argument{"schedule", c.Schedule}, argument{"cron", c.Cron}, list("command", c.Command), optional("timeout", c.Timeout))
}

func (c *ScheduleCreate) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		s := setops.Schedule{Cron: c.Cron, Command: c.Command, Timeout: setops.DefaultScheduleTimeout}
		if c.Timeout != nil {
			s.Timeout = *c.Timeout
		}
		if err := check(setops.CheckScheduleName(c.Schedule), s.Check()); err != nil {
			return err
		}
		if _, taken := a.Schedules[c.Schedule]; taken {
			return invalid("schedule", setops.Taken, fmt.Sprintf(
				"app %s has a schedule %s already; to change it, stage `setops --app %s schedule:destroy %s` first", a.Name, c.Schedule, a.Name, c.Schedule))
		}
		if len(a.Schedules) >= setops.SchedulesMax {
			return invalid("schedule", setops.TooLong, fmt.Sprintf("an app has at most %d schedules", setops.SchedulesMax))
		}
		a.Schedules = with(a.Schedules, c.Schedule, s)
		return nil
	})
}

func (c *ScheduleDestroy) Name() string { return "app:schedule:destroy" }
func (c *ScheduleDestroy) App() string  { return c.AppName }

func (c *ScheduleDestroy) Arguments() map[string]any {
	return map[string]any{"name": c.AppName, "schedule": c.Schedule}
}

func (c *ScheduleDestroy) apply(d *draft) error {
	return d.edit(c.AppName, func(a *setops.App) error {
		if _, there := a.Schedules[c.Schedule]; !there {
			return invalid("schedule", setops.NotFound, fmt.Sprintf(
				"app %s has no schedule %q; `setops --app %s schedule` lists them", a.Name, c.Schedule, a.Name))
		}
		delete(a.Schedules, c.Schedule)
		return nil
	})
}

func sameSchedule(a, b setops.Schedule) bool {
	return a.Cron == b.Cron && a.Timeout == b.Timeout && slices.Equal(a.Command, b.Command)
}

// schedulesBetween ends all that differ before it makes any, so that there is room.
func schedulesBetween(app string, was, is map[string]setops.Schedule) (commands []Command) {
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if s, stays := is[name]; !stays || !sameSchedule(was[name], s) {
			commands = append(commands, &ScheduleDestroy{AppName: app, Schedule: name})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		s := is[name]
		if old, there := was[name]; there && sameSchedule(old, s) {
			continue
		}
		commands = append(commands, &ScheduleCreate{AppName: app, Schedule: name, Cron: s.Cron, Command: slices.Clone(s.Command), Timeout: new(s.Timeout)})
	}
	return commands
}
