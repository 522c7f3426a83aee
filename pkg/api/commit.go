package api

import "time"

// Commit makes a changeset live. It belongs to the server: it goes on when nobody listens. Commits of one stage run one after
// the other, in the order in which they were asked for.
type Commit struct {
	ID         string     `json:"id"`
	State      string     `json:"state" enum:"queued,running,done,failed,cancelled" doc:"The last three are ends"`
	Phase      string     `json:"phase" enum:"waiting,initializing,planning,applying,undoing"`
	Done       int        `json:"done" doc:"Steps that are done"`
	Total      int        `json:"total" doc:"Steps of the plan, up to the switch of traffic; 0 before there is one"`
	Ahead      int        `json:"ahead,omitempty" doc:"Of a queued commit: how many of its stage come before it"`
	Passed     bool       `json:"passed" doc:"Whether it is past its commit point: what it commits is live, and it cannot be cancelled any more"`
	Message    string     `json:"message,omitempty" doc:"What its author said of it"`
	Version    int64      `json:"version,omitempty" doc:"The version of the stage that it made"`
	Reverts    string     `json:"reverts,omitempty" doc:"The commit that its changeset was staged to revert"`
	Definition bool       `json:"definition,omitempty" doc:"It applies a definition: where it does not succeed, nothing of it stays staged"`
	Deploy     bool       `json:"deploy,omitempty" doc:"It deploys an image: its commands were never staged, and where it does not succeed nothing of it stays"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	StartedAt  *time.Time `json:"started_at,omitempty" doc:"When its turn came"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	Cancelled  string     `json:"cancelled_by,omitempty" doc:"Who cancelled it"`
	Changeset  Changeset  `json:"changeset" doc:"What it commits"`
	Failure    *Failure   `json:"failure,omitempty"`
}

// StartCommit is the body of POST …/commits; all of it may be left out.
type StartCommit struct {
	Message     string `json:"message,omitempty" maxLength:"1000" doc:"What the commit is for, for the history"`
	Plan        string `json:"plan,omitempty" maxLength:"64" doc:"The hash of a plan: the commit does exactly that, or fails with PlanStale"`
	NoQueue     bool   `json:"no_queue,omitempty" doc:"Where another commit of the stage runs or waits, refuse with CommitAlreadyRunning"`
	WaitTimeout int    `json:"wait_timeout,omitempty" minimum:"0" maximum:"86400" doc:"Seconds that it waits for its turn at most; 0: an hour"`
}

// CommitSummary is one row of the history of a stage: GET …/commits, newest first.
type CommitSummary struct {
	ID         string     `json:"id"`
	State      string     `json:"state" enum:"queued,running,done,failed,cancelled"`
	Message    string     `json:"message,omitempty"`
	Version    int64      `json:"version,omitempty" doc:"The version of the stage that it made"`
	Reverts    string     `json:"reverts,omitempty" doc:"The commit that it reverted"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	Commands   int        `json:"commands" doc:"How many it committed"`
	Code       string     `json:"code,omitempty" doc:"Of the failure"`
	Mine       bool       `json:"mine" doc:"Whether the user of the request made it"`
}

// CommitDetails is all that is known of a commit: GET …/commits/{id}/details.
type CommitDetails struct {
	Commit Commit       `json:"commit"`
	Diff   Diff         `json:"diff" doc:"What it changed, or would have; values of env are left out"`
	Steps  []CommitStep `json:"steps" doc:"Its plan with what became of it; empty before there was one"`
	Tasks  []CommitTask `json:"tasks" doc:"The one-off tasks that ran before traffic moved, with their logs"`
}

// CommitStep is a step of a commit's plan in its journal.
type CommitStep struct {
	PlanStep
	State      string     `json:"state" enum:"planned,running,done,undone,failed" doc:"Undone: the commit has failed or was cancelled, with this step begun. Failed: that was the reason"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// CommitTask is a one-off task that is part of a commit.
type CommitTask struct {
	App    string    `json:"app"`
	TaskID string    `json:"task_id"`
	Log    []LogLine `json:"log" doc:"Its last lines, at most 9999"`
}

// PlanStep is one piece of work of a plan.
type PlanStep struct {
	ID    string   `json:"id"`
	Kind  string   `json:"kind"`
	App   string   `json:"app,omitempty"`
	Cause string   `json:"cause" doc:"Why it is there"`
	Needs []string `json:"needs,omitempty" doc:"Ids of the steps that must be done before it"`
	After bool     `json:"after,omitempty" doc:"It runs behind the commit point, and is not waited for"`
}

// Plan is what a commit of the changeset would do: GET …/changeset/plan. One without steps changes nothing.
type Plan struct {
	Hash  string     `json:"hash" doc:"Over the version of the stage, what was observed and the staged commands; POST …/commits takes it"`
	Steps []PlanStep `json:"steps"`
	Diff  Diff       `json:"diff"`
}

// Diff is what differs between two states of a stage: GET …/changeset/diff.
type Diff struct {
	Stage []ValueChange `json:"stage,omitempty" doc:"What differs of the stage itself"`
	Apps  []AppDiff     `json:"apps" doc:"Those that differ, by name"`
	Gates []TaskGate    `json:"gates,omitempty" doc:"Of what is staged: the one-off tasks that the commit runs before any new task starts, by app"`
}

// TaskGate is a one-off task that must exit with 0 for a commit to go on.
type TaskGate struct {
	App     string   `json:"app"`
	Release int      `json:"release" doc:"That it runs on"`
	Command []string `json:"command"`
}

// AppDiff is what differs between two states of an app.
type AppDiff struct {
	Name     string        `json:"name"`
	Change   string        `json:"change" enum:"created,changed,destroyed"`
	Restarts string        `json:"restarts,omitempty" doc:"Why it gets new tasks; empty: its tasks stay"`
	Values   []ValueChange `json:"values"`
	Lost     []string      `json:"lost,omitempty" doc:"Data that would be lost and that no revert brings back"`
}

// ValueChange is one value that differs. An absent value was not there, or is not there any more.
type ValueChange struct {
	Field  string  `json:"field" doc:"As resources.scale, env.KEY, schedules.NAME.cron, domains.www.example.com.primary; of a stage log_retention"`
	Old    *string `json:"old,omitempty"`
	New    *string `json:"new,omitempty"`
	Hidden bool    `json:"hidden,omitempty" doc:"The values are not shown here; whether there was one before and after is"`
	Secret bool    `json:"secret,omitempty" doc:"They are shown nowhere: the variable is secret, or was before"`
}

// Revert is the body of POST …/commits/{id}/revert.
type Revert struct {
	To    bool `json:"to,omitempty" doc:"Not only undo this commit, but bring the whole stage back to what it was right after it"`
	Force bool `json:"force,omitempty" doc:"Take back what later commits have changed again, too"`
}

// Reverted is the answer: the commands that were staged as a new changeset, and what they change.
type Reverted struct {
	Commands []StagedCommand `json:"commands"`
	Diff     Diff            `json:"diff"`
}

// Removed is the answer of DELETE …/changeset/commands/{number}.
type Removed struct {
	Command StagedCommand `json:"command" doc:"What was dropped"`
	Left    int           `json:"left" doc:"How many commands are still staged"`
	Broken  []string      `json:"broken,omitempty" doc:"Commands that do not apply without it: which, and why"`
}

// Failure is why a commit failed. The stage is as it was, and the changeset is still there, unless it was dropped. What apps wrote is quoted;
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
	Dropped    bool           `json:"dropped,omitempty" doc:"Nothing stays staged: the commit applied a definition, or deployed an image"`
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

// Progress is one event of a commit's stream: server-sent events named 'progress' of GET …/commits/{id}/events. The last one
// has a state that is an end. Each has an id; a stream that is asked for with the header Last-Event-ID goes on behind that
// event. Without one it begins with the present state.
type Progress struct {
	State   string   `json:"state" enum:"queued,running,done,failed,cancelled"`
	Phase   string   `json:"phase" enum:"waiting,initializing,planning,applying,undoing"`
	Done    int      `json:"done"`
	Total   int      `json:"total"`
	Ahead   int      `json:"ahead,omitempty" doc:"Of a queued commit: how many of its stage come before it"`
	TaskID  string   `json:"task_id,omitempty" doc:"The task before an activation that was started last: its log can be followed"`
	Failure *Failure `json:"failure,omitempty"`
	Commit  *Commit  `json:"commit,omitempty" doc:"In the last event: the commit as it ended"`
}
