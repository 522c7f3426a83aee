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

// ScheduleRun is what became of a schedule at one of the times at which it was due.
type ScheduleRun struct {
	Due      time.Time  `json:"due"`
	State    string     `json:"state" enum:"running,ended,skipped,failed" doc:"Skipped: the run before had not ended. Failed: it could not be started, see reason"`
	TaskID   string     `json:"task_id,omitempty"`
	EndedAt  *time.Time `json:"ended_at,omitempty"`
	ExitCode *int       `json:"exit_code,omitempty" doc:"128+n after signal n"`
	Reason   string     `json:"reason,omitempty"`
}
