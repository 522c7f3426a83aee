package setops

import "time"

// RunState is what became of a schedule at a time at which it was due.
type RunState string

// The states of a run. One that is claimed is about to be started, by the server that has claimed it and by no other.
const (
	RunClaimed RunState = "claimed"
	RunRunning RunState = "running"
	RunEnded   RunState = "ended"
	RunSkipped RunState = "skipped" // the run before it had not ended
	RunFailed  RunState = "failed"  // it could not be started
)

// ScheduleRun is what became of a schedule at one of the times at which it was due.
type ScheduleRun struct {
	Due      time.Time `json:"due,omitzero"`
	State    RunState  `json:"state,omitempty"` // empty: it was never due
	TaskID   string    `json:"task_id,omitempty"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
	ExitCode *int      `json:"exit_code,omitempty"` // nil: it has not ended, or the code was lost
	Note     string    `json:"note,omitempty"`      // why it was skipped or failed, for people
}

// CommittedSchedule is a schedule of an app with what was made of it.
type CommittedSchedule struct {
	StageID, App, Name string
	Schedule
	Since time.Time // when it was committed: what was due before is none of its
	Due   time.Time // the last time at which it was due that was seen to; zero: none was
	Last  ScheduleRun
}
