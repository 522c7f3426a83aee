// Package plan decides what must be done to make a stage what it should be. Make compares values and gives a list of
// steps as data, each with its cause and what it needs; apply runs them. It is pure: no I/O, no clock, no randomness.
// Start with Make; Plan.String is the language of the tests.
package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/graph"
	"github.com/setopsco/setops/internal/setops"
)

// Kind is what a step does. The kinds up to Switch run before the commit point and can be undone; the others run after
// it and can be repeated.
type Kind string

// The kinds of steps.
const (
	MakeNetwork     Kind = "make network"     // of the stage; stays when the commit fails: it belongs to the stage
	PrepareImage    Kind = "prepare image"    // fetch and unpack; undo: nothing, it is a cache
	RunTask         Kind = "run task"         // the pre-activation task of an app, to its end; undo: stop it
	StartGeneration Kind = "start generation" // undo: remove it
	ProveGeneration Kind = "prove generation" // what serves must pass changed checks too; undo: nothing was changed
	ScaleGeneration Kind = "scale generation" // to more tasks; undo: scale back
	AwaitGeneration Kind = "await generation" // until all its checks have passed
	OpenPort        Kind = "open port"        // reserve a TCP port of the router for the app and listen; undo: close it
	Switch          Kind = "switch"           // the commit point: one transaction, then the routes

	AdjustGeneration Kind = "adjust generation" // fewer tasks, other checks or timeouts
	RemoveGeneration Kind = "remove generation" // drain, stop, delete
	ClosePort        Kind = "close port"        // of an app that is no public tcp app any more; runs before the next commit
	RemoveLogs       Kind = "remove logs"       // of a destroyed app
)

// Step is one piece of work.
type Step struct {
	ID         string   `json:"id"`
	Kind       Kind     `json:"kind"`
	App        string   `json:"app,omitempty"`
	Generation string   `json:"generation,omitempty"`
	Task       string   `json:"task,omitempty"` // id of the one-off task that it runs
	Argv       []string `json:"argv,omitempty"` // of that task
	Cause      string   `json:"cause"`          // why the step is there, for people
	Needs      []string `json:"needs,omitempty"`
	Restores   bool     `json:"restores,omitempty"` // starts again what should run already: it stays when the commit fails
	After      bool     `json:"after,omitempty"`    // runs behind the commit point and is not counted
}

// Record is a step in the journal of a commit.
type Record struct {
	Step
	State                 string // planned, running, done or undone; the one that a commit failed at is told as failed
	StartedAt, FinishedAt time.Time
}

// Plan is the list of steps, those before the commit point first.
type Plan struct {
	Steps []Step `json:"steps"`
}

// Empty reports whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Steps) == 0 }

// Before gives the steps up to and with the switch.
func (p Plan) Before() []Step { return p.part(false) }

// After gives the steps behind the commit point.
func (p Plan) After() []Step { return p.part(true) }

func (p Plan) part(after bool) []Step {
	var steps []Step
	for _, s := range p.Steps {
		if s.After == after {
			steps = append(steps, s)
		}
	}
	return steps
}

// Nodes gives steps as a graph. What a step needs from outside of them is left out.
func Nodes(steps []Step) []graph.Node {
	here := make(map[string]bool, len(steps))
	for _, s := range steps {
		here[s.ID] = true
	}
	nodes := make([]graph.Node, 0, len(steps))
	for _, s := range steps {
		n := graph.Node{ID: s.ID}
		for _, need := range s.Needs {
			if here[need] {
				n.Needs = append(n.Needs, need)
			}
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// String gives a line a step: what, why, and what it waits for.
func (p Plan) String() string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s: %s", s.ID, s.Cause)
		if len(s.Needs) > 0 {
			fmt.Fprintf(&b, " [after %s]", strings.Join(s.Needs, ", "))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Generation is a set of tasks as the store knows it.
type Generation struct {
	ID          string
	App         string
	Fingerprint string
}

// Input is all that a plan depends on.
type Input struct {
	Stage   setops.StageRef
	Before  setops.Spec           // what is committed
	After   setops.Spec           // what shall be
	Serving map[string]Generation // by app: what serves now
	Running map[string]bool       // ids of generations that the engine keeps
	Network bool                  // whether the stage's network is there
	Ports   map[string]bool       // apps that have a TCP port of the router
	Commit  bool                  // whether there are commands to commit; else things are put back as they were
	NewID   func(app string) string
	Key     []byte // of the fingerprints

	Gates     map[string][]string     // by app: the argv of its pre-activation task
	NewTaskID func(app string) string // of those; nil: they have none yet, as where a plan is only shown
}
