package host

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/probe"
	"github.com/setopsco/setops/internal/setops"
)

// Why tasks end, where it is not the task's own doing.
const (
	reasonRemoved  = "stopped: a commit replaced or removed it"
	reasonScaled   = "stopped: the app was scaled down"
	reasonStopped  = "stopped by a user"
	reasonStage    = "stopped: its stage is being removed"
	reasonApp      = "stopped: its app was removed"
	reasonLeft     = "stopped: the connection to who ran it has ended"
	reasonUnjoined = "not started: nobody was connected to it within a minute"
	reasonDeserted = "stopped: the server was started anew, and the connection to who ran it has ended"
	reasonLost     = "ended while nobody watched: the machine or its supervising process went down"
	reasonUnbegun  = "not started: the server ended before"
)

// reason says how a container ended by itself.
func (e Exit) reason(memory int) string {
	switch {
	case e.Lost:
		return reasonLost
	case e.Unrun != "":
		return checkStart + ": " + e.Unrun
	case e.OOMKilled:
		return fmt.Sprintf("killed: out of memory (limit %d MB)", memory)
	case e.Signal != 0:
		return fmt.Sprintf("killed: signal %d (%s)", int(e.Signal), unix.SignalName(e.Signal))
	case e.Code != 0:
		return fmt.Sprintf("Essential container in task exited with code %d", e.Code)
	}
	return "Essential container in task exited"
}

// cause is the reason for use within a sentence.
func (e Exit) cause(memory int) string {
	if e.Lost || e.OOMKilled || e.Signal != 0 {
		return e.reason(memory)
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

// failure makes one of an end that came before the task was ready.
func (e Exit) failure(memory int) *failure {
	if e.Unrun != "" {
		return &failure{check: checkStart, cause: e.Unrun, final: true}
	}
	return &failure{check: checkStart, cause: e.cause(memory) + " before it was ready", last: e.answer()}
}

// failure is why a task did not get ready.
type failure struct {
	check string // as GateError.Check
	cause string
	last  setops.LastAnswer
	fault bool
	final bool // trying again cannot help, or shall not be waited for
}

// Values of GateError.Check.
const (
	checkStart     = "start"
	checkImage     = "image"
	checkContainer = "container health check"
	checkNetwork   = "network health check"
)

// startFailure tells whose fault an error of the runtime is.
func startFailure(err error) *failure {
	var start *StartError
	var image *ImageError
	switch {
	case errors.As(err, &start):
		return &failure{check: checkStart, cause: start.Reason, final: true}
	case errors.As(err, &image):
		return &failure{check: checkImage, cause: image.Reason, final: true}
	case isFull(err):
		return &failure{check: checkStart, cause: fmt.Sprintf("no space left on the server's disk: %v", err), fault: true, final: true}
	}
	return &failure{check: checkStart, cause: err.Error(), fault: true}
}

// reason is why the task has ended.
func (f *failure) reason() string {
	if f.fault {
		return "the server could not start it: " + f.cause
	}
	return f.check + ": " + f.cause
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func (f *failure) gateError(app, taskID string) *engine.GateError {
	last := f.last
	last.ConnectError, last.Body, last.Output = setops.Excerpt(last.ConnectError), setops.Excerpt(last.Body), setops.Excerpt(last.Output)
	return &engine.GateError{
		App: app, TaskID: taskID, Check: f.check, Cause: setops.Printable(f.cause), Last: last,
		Fault: f.fault, Temporary: f.fault && !f.final, // what is not final has been tried again, and may be so later
	}
}

// checkFailure is what a run of a container health check gave that did not pass.
type checkFailure struct {
	answer setops.LastAnswer
	err    error // the command was not run to its end
}

// checkFailed tells a run that passed, which gives nil, from one that did not.
func checkFailed(command []string, code int, output []byte, err error, timeout time.Duration) *checkFailure {
	if err == nil && code == 0 {
		return nil
	}
	f := &checkFailure{answer: setops.LastAnswer{Request: setops.Excerpt(strings.Join(command, " "))}}
	if err == nil {
		f.answer.ExitCode, f.answer.Output = &code, setops.Excerpt(string(output))
		return f
	}
	if f.err = err; errors.Is(err, context.DeadlineExceeded) {
		f.err = fmt.Errorf("no answer within %s", timeout)
	}
	f.answer.ConnectError = f.err.Error()
	return f
}

// Error says it within a sentence.
func (f *checkFailure) Error() string {
	switch {
	case f.err != nil:
		return f.err.Error()
	case f.answer.Output == "":
		return fmt.Sprintf("exit code %d", *f.answer.ExitCode)
	}
	return fmt.Sprintf("exit code %d, %s", *f.answer.ExitCode, f.answer.Output)
}

// heard is the answer that a failed network health check got.
func heard(err error) setops.LastAnswer {
	var f *probe.Failure
	if !errors.As(err, &f) {
		return setops.LastAnswer{}
	}
	a := setops.LastAnswer{Request: f.Request, Status: f.Status, Body: f.Body}
	if a.Request == "" {
		a.Request = "connect"
	}
	if f.Kind != probe.KindStatus {
		a.ConnectError = f.Error()
	}
	return a
}

// answerOf is what the failed run of either check heard.
func answerOf(err error) setops.LastAnswer {
	var f *checkFailure
	if errors.As(err, &f) {
		return f.answer
	}
	return heard(err)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// ordinal gives 1st, 2nd, 3rd, 4th.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n, suffix)
}
