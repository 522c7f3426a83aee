package api

import "time"

// Task is one container of an app, or a one-off task.
type Task struct {
	ID        string     `json:"id" doc:"32 hexadecimal digits; requests accept any unique prefix"`
	Release   int        `json:"release" doc:"0: it runs an image that no release names"`
	ImageTag  string     `json:"image_tag,omitempty"`
	Status    string     `json:"status" enum:"PROVISIONING,PENDING,ACTIVATING,RUNNING,DEACTIVATING,STOPPING,DEPROVISIONING,STOPPED"`
	Desired   string     `json:"desired_status" enum:"RUNNING,STOPPED"`
	Health    string     `json:"health_status" enum:"HEALTHY,UNHEALTHY,UNKNOWN"`
	Reason    string     `json:"reason,omitempty" doc:"Why it stopped or has not started yet"`
	OneOff    bool       `json:"one_off"`
	CreatedAt time.Time  `json:"created_at"`
	StartedAt *time.Time `json:"started_at,omitempty"`
	StoppedAt *time.Time `json:"stopped_at,omitempty"`
	ExitCode  *int       `json:"exit_code,omitempty" doc:"128+n after signal n"`
}

// RunTask starts a one-off task: POST …/apps/{app}/tasks.
type RunTask struct {
	Arguments  []string `json:"arguments,omitempty" doc:"Takes the place of the app's command"`
	Entrypoint []string `json:"entrypoint,omitempty" doc:"Takes the place of the app's entrypoint"`
	Release    int      `json:"release,omitempty" doc:"0: the active release. A release staged in one's own changeset can be run too"`
	ImageTag   string   `json:"image_tag,omitempty" doc:"A tag or digest in the app's repository, in place of a release: the image that it names now"`
	CPU        int      `json:"cpu,omitempty" doc:"0: as the app"`
	Memory     int      `json:"memory,omitempty" doc:"MB; 0: as the app"`

	Interactive *Interactive `json:"interactive,omitempty" doc:"The task waits, a minute at most, for its client to join it over the WebSocket of …/tasks/{id}/attach, and ends when that goes away"`
}

// Interactive is what the program of an interactive task reads from and writes to.
type Interactive struct {
	Terminal bool `json:"terminal,omitempty" doc:"A terminal; else pipes, with errors apart"`
	TerminalSize
}

// LogLine is one line of an app's log.
type LogLine struct {
	Time   time.Time `json:"time"`
	TaskID string    `json:"task_id"`
	Source string    `json:"source" doc:"'app' for what a task wrote, 'system' for what SetOps says of it"`
	Text   string    `json:"text"`
}

// LogGap says that lines of a task may be missing there: they were deleted, to keep the log within its limits, before they were
// sent.
type LogGap struct {
	TaskID string `json:"task_id"`
}

// LogPast says that what was there is sent. What was written after Time follows, or was sent.
type LogPast struct {
	Time time.Time `json:"time"`
}

// LogEnd closes a followed log of one task: the task has ended and its log is complete.
type LogEnd struct {
	Task Task `json:"task"`
}
