package changeset

import (
	"errors"
	"time"
)

// State is where a commit is in its life:
//
//	          claim                    pass                 end
//	queued ────────► running ────────────────► running ─────────► done
//	   │              │   ▲  │                (passed)
//	   │ cancel,      └───┘  │ end, once all is undone
//	   │ destroy    take over├──────► failed      a step failed, a deadline passed, its server was killed
//	   ├────► cancelled      └──────► cancelled   somebody has cancelled it before it passed
//	   └────► failed    its time in the queue is over
//
// A stage has at most one running commit, the lock of the stage, and any number of queued ones, which run in order. A running
// commit is owned by a process by a lease that it renews; when the lease is over, another process takes the commit over: one
// that has not passed is undone, one that has is finished. So a commit ends whoever dies, and no lock outlives its owner.
type State string

// The states of a commit. The last three are ends.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Ended reports whether nothing happens to the commit any more, but for steps behind its commit point.
func (s State) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Phase is what a running commit does.
type Phase string

// The phases of a commit, in order. Undoing comes only where it fails or is cancelled.
const (
	Waiting      Phase = "waiting" // its turn has not come
	Initializing Phase = "initializing"
	Planning     Phase = "planning"
	Applying     Phase = "applying"
	Undoing      Phase = "undoing"
)

// Lease says which process runs a commit, and until when nobody else may. Fence is the number of the lease: it grows with
// each lease of a stage, and whoever writes with an older one than was seen is refused.
type Lease struct {
	Owner string
	Fence int64
	Until time.Time
}

// What a process is told that writes to a commit that it must not write to any more.
var (
	ErrLeaseLost = errors.New("another process has taken the commit over")
	ErrCancelled = errors.New("the commit was cancelled")
)

// Event is what happens to a commit.
type Event string

// The events. Each is one transaction of the store, save Death.
const (
	Claim       Event = "claim"         // its turn comes
	TakeOver    Event = "take over"     // its lease is over; another process gets it
	Pass        Event = "pass"          // its commit point
	Cancel      Event = "cancel"        // somebody wants it to end
	GiveUp      Event = "give up"       // its time in the queue is over
	EndDone     Event = "end done"      // what it commits is live, and all is freed that the next one may want
	EndUndone   Event = "end undone"    // all that it began is undone
	LeaseIsOver Event = "lease is over" // time passes, and nobody renews the lease
	Death       Event = "death"         // the process that owns it dies
)

// Events are all events.
func Events() []Event {
	return []Event{Claim, TakeOver, Pass, Cancel, GiveUp, EndDone, EndUndone, LeaseIsOver, Death}
}

// Life is all of a commit that decides what can happen to it.
type Life struct {
	State     State
	Passed    bool
	Cancelled bool // somebody has cancelled it; it may be running still
	Owned     bool // a living process works on it
	Leased    bool // its lease is not over
}

// On gives the life behind an event; ok is false for one that cannot happen now. It is the model that the store is tested
// against, and in which the promises of State are checked for every life that can be reached.
func (l Life) On(e Event) (next Life, ok bool) {
	working := l.State == Running && l.Owned && l.Leased // a process whose lease is over writes nothing
	switch e {
	case Claim:
		return Life{State: Running, Owned: true, Leased: true}, l.State == Queued
	case TakeOver:
		l.Owned, l.Leased, ok = true, true, l.State == Running && !l.Leased
	case Pass:
		l.Passed, ok = true, working && !l.Passed && !l.Cancelled
	case Cancel:
		ok = l.State == Queued || l.State == Running && !l.Passed && !l.Cancelled
		l.Cancelled = true
		if l.State == Queued {
			l.State = Cancelled
		}
	case GiveUp:
		l.State, ok = Failed, l.State == Queued
	case EndDone:
		return Life{State: Done, Passed: true}, working && l.Passed
	case EndUndone:
		next = Life{State: Failed, Cancelled: l.Cancelled}
		if l.Cancelled {
			next.State = Cancelled
		}
		return next, working && !l.Passed
	case LeaseIsOver:
		ok = l.State == Running && l.Leased && !l.Owned // who lives renews it
		l.Leased = false
	case Death:
		ok = l.State == Running && l.Owned
		l.Owned = false
	}
	return l, ok
}
