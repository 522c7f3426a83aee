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
)

// Why tasks end, where it is not the task's own doing.
const (
	reasonRemoved = "stopped: a commit replaced or removed it"
	reasonScaled  = "stopped: the app was scaled down"
	reasonStopped = "stopped by a user"
	reasonStage   = "stopped: its stage is being removed"
	reasonApp     = "stopped: its app was removed"
	reasonLost    = "ended while nobody watched: the machine or its supervising process went down"
	reasonUnbegun = "not started: the server ended before"
)

// reason says how a container ended by itself.
func (e Exit) reason(memory int) string {
	switch {
	case e.Lost:
		return reasonLost
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

// failure is why a task did not get ready.
type failure struct {
	check string // as GateError.Check
	cause string
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
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &failure{check: checkStart, cause: fmt.Sprintf("no space left on the server's disk: %v", err), fault: true, final: true}
	}
	return &failure{check: checkStart, cause: fmt.Sprintf("the server could not start it: %v", err), fault: true}
}

func (f *failure) gateError(app, taskID string) *engine.GateError {
	return &engine.GateError{App: app, TaskID: taskID, Check: f.check, Cause: f.cause, Fault: f.fault}
}

// checkCause says what a failed run of a container health check gave.
func checkCause(code int, output []byte, err error, timeout time.Duration) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %s", timeout)
	case err != nil:
		return err.Error()
	}
	text := strings.Join(strings.Fields(string(output)), " ")
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "") + "…"
	}
	if text == "" {
		return fmt.Sprintf("exit code %d", code)
	}
	return fmt.Sprintf("exit code %d, %s", code, text)
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
