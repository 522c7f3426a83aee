package api

import "time"

// Schedule is a command of an app that is run regularly, as a one-off task of the active release.
type Schedule struct {
	Name    string       `json:"name"`
	Cron    string       `json:"cron" doc:"Five fields: minute, hour, day of the month, month, day of the week, in UTC"`
	Command []string     `json:"command"`
	Timeout int          `json:"timeout" doc:"Seconds that a run may take before it is stopped"`
	NextRun *time.Time   `json:"next_run,omitempty" doc:"When it is due next"`
	LastRun *ScheduleRun `json:"last_run,omitempty" doc:"Absent: it was not due yet since it was committed"`
}

// ScheduleRun is one run of a schedule.
type ScheduleRun struct {
	Due      time.Time  `json:"due" doc:"The time at which it was due"`
	State    string     `json:"state" enum:"running,ended,failed" doc:"Failed: it could not be started"`
	TaskID   string     `json:"task_id,omitempty"`
	EndedAt  *time.Time `json:"ended_at,omitempty"`
	ExitCode *int       `json:"exit_code,omitempty" doc:"128+n after signal n"`
	Reason   string     `json:"reason,omitempty" doc:"Why it ended, or could not be started"`
	Skipped  *time.Time `json:"skipped,omitempty" doc:"The last time at which the schedule was due while this run had not ended"`
}
