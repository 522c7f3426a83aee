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

// Failure is why a commit failed. The stage is as it was, and the changeset is still there. What apps wrote is quoted;
// where it holds a value of the app's environment, that is replaced by the variable's name, as ${NAME}.
type Failure struct {
	Code       string         `json:"code" doc:"CommitFailed: an app, an image or a setting is to blame. ServerFailure: the server is, and no app. ChangesetInvalid and others: as in the errors of the API"`
	Message    string         `json:"message" doc:"What happened and why, for people"`
	Temporary  bool           `json:"temporary" doc:"The same commit may succeed later"`
	Step       string         `json:"step,omitempty" doc:"The step that failed"`
	App        string         `json:"app,omitempty"`
	Release    int            `json:"release,omitempty" doc:"Of the tasks that did not get ready"`
	TaskID     string         `json:"task_id,omitempty"`
	Check      string         `json:"check,omitempty" doc:"start, container health check, network health check or image"`
	LastAnswer *LastAnswer    `json:"last_answer,omitempty"`
	Others     []OtherFailure `json:"others,omitempty" doc:"Apps of the same commit that were not ready either"`
	Next       []string       `json:"next,omitempty" doc:"Command lines to type next; words in capitals stand for what only you know"`
	Log        []string       `json:"log,omitempty" doc:"The last lines that the task wrote, at most 50; kept for ten minutes"`
}

// LastAnswer is the last that was heard of a task, or of what checks it, before it was given up. What is absent was not
// heard. Texts are a line of at most 200 characters without control characters.
type LastAnswer struct {
	Request      string   `json:"request,omitempty" doc:"What the check asked: a request as GET /up, connect, or its command"`
	Status       int      `json:"status,omitempty" doc:"Of the HTTP answer"`
	Body         string   `json:"body,omitempty" doc:"Its first line"`
	ConnectError string   `json:"connect_error,omitempty" doc:"Why there was no such answer"`
	ListensOn    []string `json:"listens_on,omitempty" doc:"HOST:PORT that the task listens on instead, inside"`
	ExitCode     *int     `json:"exit_code,omitempty" doc:"Of the task, or of its container health check; 128 and more: ended by a signal"`
	Output       string   `json:"output,omitempty" doc:"Of the container health check"`
	Signal       string   `json:"signal,omitempty" doc:"That ended the task, as SIGKILL"`
	OutOfMemory  bool     `json:"out_of_memory,omitempty"`
}

// OtherFailure is another app that was not ready when the commit failed.
type OtherFailure struct {
	App     string `json:"app"`
	TaskID  string `json:"task_id,omitempty"`
	Check   string `json:"check,omitempty"`
	Message string `json:"message"`
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
