package changeset

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// Changeset is what one user has staged on one stage.
type Changeset struct {
	ID        string
	StageID   string
	UserID    string
	CreatedAt time.Time
	Reverts   string // the commit that it was staged to revert; empty once something else was staged
	AppliedTo *int64 // the version of the stage that a definition was applied to by it; nil: it is of none, or not only
	Commands  []Command
}

// Staged is what was staged, and the committed state that it was staged on.
type Staged struct {
	Committed setops.Spec
	Commands  []Command
}

// MaxCommands is the highest number of commands of a changeset.
const MaxCommands = 10_000

// StagedBesides is the error where a definition is to be applied, and commands are staged that are of none.
func StagedBesides(n int) error {
	return setops.Refuse(setops.ChangesetInvalid,
		"you have staged %s on this stage; commit that, or drop it with `setops changeset:discard`, before you apply a definition", counted(n))
}

// StagedBeforeRevert is the error where a commit is to be reverted, and something is staged already.
func StagedBeforeRevert(n int) error {
	return setops.Refuse(setops.ChangesetInvalid,
		"you have staged %s on this stage; commit that, or drop it with `setops changeset:discard`, before you revert a commit", counted(n))
}

func counted(n int) string {
	if n == 1 {
		return "1 command"
	}
	return fmt.Sprintf("%d commands", n)
}

// StagedBeforeDeploy is the error where an image is to be deployed, and commands are staged that would not be part of that.
func StagedBeforeDeploy(n int) error {
	return setops.Refuse(setops.ChangesetInvalid,
		"you have staged commands on this stage (%d), which would not be part of the deploy; commit them first, or drop them with `setops changeset:discard`", n)
}

// CheckPosition reports a place, counted from 0, at which a changeset has no command. Errors: ChangesetDoesNotExist,
// ValidationFailed.
func CheckPosition(c Changeset, ok bool, position int) error {
	switch {
	case !ok:
		return setops.Refuse(setops.ChangesetDoesNotExist, "you have staged nothing on this stage")
	case position < 0 || position >= len(c.Commands):
		return invalid("number", setops.NotFound,
			fmt.Sprintf("there is no command %d, as you have staged %s; `setops changeset:info -o wide` numbers what is staged", position+1, counted(len(c.Commands))))
	}
	return nil
}

// Commit is a changeset that is made live, or was. What it goes through: life.go.
type Commit struct {
	ID         string
	StageID    string
	UserID     string
	UserEmail  string
	Message    string // what its author said of it
	State      State
	Phase      Phase
	Passed     bool // the commit point: from there on it is only carried forward
	Done       int  // steps before the commit point that are done
	Total      int
	Ahead      int       // of a queued one: how many of its stage come before it
	PlanHash   string    // what it must turn out to do; empty: whatever its commands make of the stage
	Reverts    string    // the commit that its changeset was staged to revert
	Unstaged   bool      // its commands were never staged: they came with it, and where it does not succeed they go with it
	Version    int64     // of the stage, that it made; 0: it has not passed
	CreatedAt  time.Time // when it was asked for
	StartedAt  time.Time // when its turn came
	FinishedAt time.Time
	QueueUntil time.Time // when it is given up, unless its turn has come
	Cancelled  string    // who cancelled it: an e-mail address
	Lease      Lease
	Changeset  Changeset
	Commands   int // how many it has, also where they are left out of Changeset
	Failure    *Failure
}

// Ticket is what a commit is asked for with.
type Ticket struct {
	ID, StageID, UserID string
	Message, PlanHash   string
	NoQueue             bool // refuse it where it would have to wait
	Now, QueueUntil     time.Time
	Events              []setops.Event // of the audit log, that tell of it
}

// Delta is the apps that a commit changes, as they were and as it makes them, and what belongs to no app before and after it. An app that is in one of them only was made
// or destroyed. Of its releases each app has those that it takes to bring it back: the active ones and those that the commit
// created, or, where it was made or destroyed, all of them.
type Delta struct{ Before, After setops.Spec }

// DeltaOf gives what differs between two states of a stage.
func DeltaOf(before, after setops.Spec) Delta {
	c := Delta{
		Before: setops.Spec{Apps: map[string]*setops.App{}, LogRetention: before.LogRetention},
		After:  setops.Spec{Apps: map[string]*setops.App{}, LogRetention: after.LogRetention},
	}
	for name, was := range before.Apps {
		made := after.Apps[name]
		if was == made {
			continue // Fold shares what no command touched
		}
		c.Before.Apps[name] = retained(was, made)
	}
	for name, made := range after.Apps {
		if before.Apps[name] != made {
			c.After.Apps[name] = retained(made, before.Apps[name])
		}
	}
	return c
}

// retained is an app with those of its releases that other lacks, and those that are active in one of both.
func retained(app, other *setops.App) *setops.App {
	kept := *app
	kept.Releases = nil
	for _, r := range app.Releases {
		if other != nil && r.ID != app.ActiveRelease && r.ID != other.ActiveRelease {
			if _, there := other.Release(r.ID); there {
				continue
			}
		}
		kept.Releases = append(kept.Releases, r)
	}
	return &kept
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
	Dropped    bool               `json:"dropped,omitempty"` // the changeset is dropped: see Of
	Next       []string           `json:"next,omitempty"`    // command lines to type
	Log        []string           `json:"-"`                 // never stored: a log may hold secrets
}

// Dropped says whether nothing of the commit stays staged where it does not succeed.
func (c Commit) Dropped() bool { return c.Unstaged || c.Changeset.AppliedTo != nil }

// Of is the failure as that of a commit. One that applies a definition drops its changeset, so that what to type next is about
// the file, and only looking at logs is still something that can be named.
func (f Failure) Of(c Commit) Failure {
	f.Dropped = c.Dropped()
	switch {
	case c.Unstaged:
		f.Next = nextDeploy(f.Next, c.Changeset.Commands)
		return f
	case !f.Dropped:
		return f
	}
	f.Next = slices.DeleteFunc(slices.Clone(f.Next), func(line string) bool { return !strings.Contains(line, " log --task ") })
	return f
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
