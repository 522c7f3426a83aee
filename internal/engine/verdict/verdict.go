package verdict

import (
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// Why tasks end, where it is not the task's own doing.
const (
	ReasonRemoved = "stopped: a commit replaced or removed it"
	ReasonScaled  = "stopped: the app was scaled down"
	ReasonStopped = "stopped by a user"
	ReasonStage   = "stopped: its stage is being removed"
	ReasonApp     = "stopped: its app was removed"

	// Of those that were joined, or should have been.
	ReasonLeft     = "stopped: the connection to who ran it has ended"
	ReasonUnjoined = "not started: nobody was connected to it within a minute"
	ReasonDeserted = "stopped: the server was started anew, and the connection to who ran it has ended"
)

// Values of GateError.Check.
const (
	CheckStart     = "start"
	CheckImage     = "image"
	CheckContainer = "container health check"
	CheckNetwork   = "network health check"
)

// MostMissed is how many tasks may end before they were RUNNING until Await gives up.
const MostMissed = 3

// MostGateLines is how many lines a GateError quotes.
const MostGateLines = 50

// Failure is why a task did not get ready.
type Failure struct {
	Check string // as GateError.Check
	Cause string
	Last  setops.LastAnswer
	Fault bool
	Final bool // trying again cannot help, or shall not be waited for
}

// Reason is why the task has ended.
func (f *Failure) Reason() string {
	if f.Fault {
		return "the server could not start it: " + f.Cause
	}
	return f.Check + ": " + f.Cause
}

// GateError says it to those who await the generation.
func (f *Failure) GateError(app, taskID string) *engine.GateError {
	last := f.Last
	last.ConnectError, last.Body, last.Output = setops.Excerpt(last.ConnectError), setops.Excerpt(last.Body), setops.Excerpt(last.Output)
	return &engine.GateError{
		App: app, TaskID: taskID, Check: f.Check, Cause: setops.Printable(f.Cause), Last: last,
		Fault: f.Fault, Temporary: f.Fault && !f.Final, // what is not final has been tried again, and may be so later
	}
}
