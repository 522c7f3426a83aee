package api

import "time"

// Commit makes a changeset live. It belongs to the server: it goes on when nobody listens.
type Commit struct {
	ID         string     `json:"id"`
	State      string     `json:"state" enum:"running,done,failed"`
	Phase      string     `json:"phase" enum:"initializing,planning,applying"`
	Done       int        `json:"done" doc:"Steps that are done"`
	Total      int        `json:"total" doc:"Steps of the plan, up to the switch of traffic; 0 before there is one"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	Changeset  Changeset  `json:"changeset" doc:"What it commits"`
	Failure    *Failure   `json:"failure,omitempty"`
}

// Failure is why a commit failed. The stage is as it was, and the changeset is still there.
type Failure struct {
	Code    string   `json:"code"`
	Message string   `json:"message" doc:"What happened and why, for people"`
	Step    string   `json:"step,omitempty" doc:"The step that failed"`
	App     string   `json:"app,omitempty"`
	TaskID  string   `json:"task_id,omitempty"`
	Check   string   `json:"check,omitempty" doc:"start, container health check, network health check or image"`
	Log     []string `json:"log,omitempty" doc:"The last lines of the task"`
}

// Progress is one event of a commit's stream: server-sent events named 'progress' of GET …/commits/{id}/events. The
// last one has a state other than running. Every stream begins with the present state.
type Progress struct {
	State   string   `json:"state" enum:"running,done,failed"`
	Phase   string   `json:"phase" enum:"initializing,planning,applying"`
	Done    int      `json:"done"`
	Total   int      `json:"total"`
	Failure *Failure `json:"failure,omitempty"`
}
