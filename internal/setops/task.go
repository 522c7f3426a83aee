package setops

import "time"

// TaskStatus is where a task is in its life.
//
//	PROVISIONING → PENDING → ACTIVATING → RUNNING → DEACTIVATING → STOPPING → DEPROVISIONING → STOPPED
//
// A task that ends by itself goes from any of the first four to DEPROVISIONING.
type TaskStatus string

// The states of a task, in order.
const (
	Provisioning   TaskStatus = "PROVISIONING"   // network and mounts are made
	Pending        TaskStatus = "PENDING"        // the image is fetched and the container created
	Activating     TaskStatus = "ACTIVATING"     // started; its checks have not passed yet
	Running        TaskStatus = "RUNNING"        // its checks have passed
	Deactivating   TaskStatus = "DEACTIVATING"   // out of the routes; requests are in flight
	Stopping       TaskStatus = "STOPPING"       // SIGTERM was sent
	Deprovisioning TaskStatus = "DEPROVISIONING" // ended; being cleaned up
	Stopped        TaskStatus = "STOPPED"
)

// Starting reports whether the task counts as pending in the state line of an app.
func (s TaskStatus) Starting() bool { return s == Provisioning || s == Pending || s == Activating }

// Ended reports whether nothing of the task runs any more.
func (s TaskStatus) Ended() bool { return s == Deprovisioning || s == Stopped }

// Health is the verdict of the container health check.
type Health string

// The verdicts. Unknown: being evaluated, or there is no container health check.
const (
	Healthy   Health = "HEALTHY"
	Unhealthy Health = "UNHEALTHY"
	Unknown   Health = "UNKNOWN"
)

// Task is one container as its engine reports it.
type Task struct {
	ID         string     `json:"id"` // 32 hexadecimal digits
	StageID    string     `json:"stage_id"`
	App        string     `json:"app"`
	Generation string     `json:"generation,omitempty"` // empty: a one-off task
	Release    int        `json:"release"`              // 0: it runs an image that no release names
	Digest     string     `json:"digest"`
	Tag        string     `json:"tag,omitempty"` // of its image, where it was asked for by that
	Status     TaskStatus `json:"status"`
	Desired    TaskStatus `json:"desired"` // RUNNING or STOPPED
	Health     Health     `json:"health"`
	Reason     string     `json:"reason,omitempty"` // why it stopped, or why it is not started yet
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  time.Time  `json:"started_at,omitzero"`
	StoppedAt  time.Time  `json:"stopped_at,omitzero"`
	ExitCode   *int       `json:"exit_code,omitempty"` // nil while it runs, and when the code was lost; 128+n after signal n
	OOMKilled  bool       `json:"oom_killed,omitempty"`
	Signal     string     `json:"signal,omitempty"`  // that ended it, as SIGKILL
	Told       bool       `json:"told,omitempty"`    // it did not end by itself: somebody stopped it, or its limit did
	Unrun      string     `json:"unrun,omitempty"`   // why its program was never run; empty: it was, or was told to end before
	Fault      bool       `json:"fault,omitempty"`   // that it ended so was the server's doing or the machine's
	Address    string     `json:"address,omitempty"` // host:port that the router dials; empty before ACTIVATING
}

// OneOff reports whether the task is outside any generation: run by somebody, or by a commit.
func (t Task) OneOff() bool { return t.Generation == "" }

// StageRef names a stage for engines and routers: a stable id for keys, the names for hosts and labels.
type StageRef struct {
	ID, Organization, Project, Name string
}
