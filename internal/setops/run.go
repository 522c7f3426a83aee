package setops

import "time"

// RunState is what became of a run of a schedule.
type RunState string

// The states of a run. One that is claimed is about to be started, by the server that has claimed it and by no other.
const (
	RunClaimed RunState = "claimed"
	RunRunning RunState = "running"
	RunEnded   RunState = "ended"
	RunFailed  RunState = "failed" // it could not be started
)

// ScheduleRun is the last run of a schedule.
type ScheduleRun struct {
	Due      time.Time `json:"due,omitzero"`    // the time at which it was due
	State    RunState  `json:"state,omitempty"` // empty: there was none
	TaskID   string    `json:"task_id,omitempty"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
	ExitCode *int      `json:"exit_code,omitempty"` // nil: it has not ended, or the code was lost
	Reason   string    `json:"reason,omitempty"`    // why it could not be started, for people
	Skipped  time.Time `json:"skipped,omitzero"`    // the last time at which the schedule was due while this run had not ended
}

// CommittedSchedule is a schedule of an app with what was made of it.
type CommittedSchedule struct {
	StageID, App, Name string
	Schedule
	Since time.Time // when it was committed: what was due before is none of its
	Due   time.Time // the last time at which it was due that was seen to; zero: none was
	Last  ScheduleRun
}
