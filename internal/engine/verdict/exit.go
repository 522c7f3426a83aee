package verdict

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/setops"
)

// ReasonLost is of tasks whose end nobody saw.
const ReasonLost = "ended while nobody watched: the machine or its supervising process went down"

// Exit is how a container ended.
type Exit struct {
	Code      int // 128+n after signal n
	Signal    syscall.Signal
	OOMKilled bool
	Lost      bool // it ended, and nobody saw how (its shim was killed, the machine went down)
	// Unrun says why the program was never run, where that is learned only from the end; no retry mends it.
	Unrun string
	At    time.Time
}

// Reason says how a container ended by itself.
func (e Exit) Reason(memory int) string {
	switch {
	case e.Lost:
		return ReasonLost
	case e.Unrun != "":
		return CheckStart + ": " + e.Unrun
	case e.OOMKilled:
		return fmt.Sprintf("killed: out of memory (limit %d MB)", memory)
	case e.Signal != 0:
		return fmt.Sprintf("killed: signal %d (%s)", int(e.Signal), unix.SignalName(e.Signal))
	case e.Code != 0:
		return fmt.Sprintf("Essential container in task exited with code %d", e.Code)
	}
	return "Essential container in task exited"
}

// Cause is the reason for use within a sentence.
func (e Exit) Cause(memory int) string {
	if e.Lost || e.OOMKilled || e.Signal != 0 {
		return e.Reason(memory)
	}
	return fmt.Sprintf("exited with code %d", e.Code)
}

// answer is what there is to hear of a container that has ended.
func (e Exit) answer() setops.LastAnswer {
	if e.Lost || e.Unrun != "" {
		return setops.LastAnswer{}
	}
	a := setops.LastAnswer{OutOfMemory: e.OOMKilled, ExitCode: &e.Code}
	if e.Signal != 0 {
		a.Signal = unix.SignalName(e.Signal)
	}
	return a
}

// Failure makes one of an end that came before the task was ready.
func (e Exit) Failure(memory int) *Failure {
	if e.Unrun != "" {
		return &Failure{Check: CheckStart, Cause: e.Unrun, Final: true}
	}
	return &Failure{Check: CheckStart, Cause: e.Cause(memory) + " before it was ready", Last: e.answer()}
}

// Tell writes into a task how it ended. What the task says already stays.
func (e Exit) Tell(n *setops.Task) {
	n.OOMKilled, n.Fault = e.OOMKilled, n.Fault || e.Lost
	if e.Unrun != "" {
		n.Unrun = setops.Printable(e.Unrun)
	}
	if e.Signal != 0 {
		n.Signal = unix.SignalName(e.Signal)
	}
	if !e.Lost {
		n.ExitCode = &e.Code
	}
	if !e.At.IsZero() {
		n.StoppedAt = e.At.UTC()
	}
}
