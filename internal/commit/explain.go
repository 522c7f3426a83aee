package commit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/setopsco/setops/internal/apply"
	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// refused says which commands do not apply any more.
func refused(problems []changeset.Problem) error {
	lines := make([]string, 0, len(problems))
	for _, p := range problems {
		lines = append(lines, p.Error())
	}
	return &setops.Error{
		Kind: setops.ValidationError, Code: setops.ChangesetInvalid, Message: strings.Join(lines, "\n"),
	}
}

// explain turns an error into what a person wants to know first.
func explain(err error) changeset.Failure {
	f := changeset.Failure{Code: string(setops.CommitFailed), Message: err.Error()}
	var known *setops.Error
	if errors.As(err, &known) {
		f.Code = string(known.Code)
	}
	var step *apply.StepError
	if errors.As(err, &step) {
		f.Step, f.App, f.Message = step.Step.ID, step.Step.App, step.Err.Error()
	}
	var gate *engine.GateError
	switch {
	case errors.As(err, &gate):
		if gate.App != "" { // an image belongs to no app; the step does
			f.App = gate.App
		}
		f.TaskID, f.Check, f.Log = gate.TaskID, gate.Check, gate.Log
		f.Message = gateSentence(f, gate)
	case errors.Is(err, syscall.ENOSPC):
		f.Message = "the server's disk is full: " + f.Message
	case errors.Is(err, context.DeadlineExceeded):
		f.Message = "it took too long: " + f.Message
	}
	return f
}

func gateSentence(f changeset.Failure, gate *engine.GateError) string {
	switch {
	case gate.Fault:
		return fmt.Sprintf("app %s could not be started, which is not its own fault: %s", f.App, gate.Cause)
	case gate.Check == "image":
		return fmt.Sprintf("the image of app %s cannot run here: %s", f.App, gate.Cause)
	}
	return fmt.Sprintf("app %s did not get ready: %s", f.App, gate.Cause)
}
