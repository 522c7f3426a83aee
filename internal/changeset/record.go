package changeset

import (
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Changeset is what one user has staged on one stage.
type Changeset struct {
	ID        string
	StageID   string
	UserID    string
	CreatedAt time.Time
	Commands  []Command
}

// State is where a commit is in its life: it is running, and ends as done or failed.
type State string

// The states of a commit.
const (
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
)

// Phase is what a running commit does.
type Phase string

// The phases of a commit, in order.
const (
	Initializing Phase = "initializing"
	Planning     Phase = "planning"
	Applying     Phase = "applying"
)

// Commit is a changeset that is made live, or was.
type Commit struct {
	ID         string
	StageID    string
	UserID     string
	UserEmail  string
	State      State
	Phase      Phase
	Passed     bool // the commit point: from there on it is only carried forward
	Done       int  // steps before the commit point that are done
	Total      int
	CreatedAt  time.Time
	FinishedAt time.Time
	Changeset  Changeset
	Failure    *Failure
}

// Failure is why a commit failed.
type Failure struct {
	Code       string             `json:"code"` // ServerFailure where it is the server's fault
	Message    string             `json:"message"`
	Temporary  bool               `json:"temporary,omitempty"` // the same commit may succeed later
	Step       string             `json:"step,omitempty"`
	App        string             `json:"app,omitempty"`
	Release    int                `json:"release,omitempty"`
	TaskID     string             `json:"task_id,omitempty"`
	Check      string             `json:"check,omitempty"`
	LastAnswer *setops.LastAnswer `json:"last_answer,omitempty"`
	Others     []OtherFailure     `json:"others,omitempty"`
	Next       []string           `json:"next,omitempty"` // command lines to type
	Log        []string           `json:"-"`              // never stored: a log may hold secrets
}

// OtherFailure is another app of the same commit that was not ready when the first had failed.
type OtherFailure struct {
	App     string `json:"app"`
	TaskID  string `json:"task_id,omitempty"`
	Check   string `json:"check,omitempty"`
	Message string `json:"message"`
}

// Decide chooses, inside the transaction that stages, the commands to append: it is given the committed spec, what is
// staged already, and a function that reserves the next release id of an app.
type Decide func(committed setops.Spec, staged []Command, reserve func(app string) (int, error)) ([]Command, error)
