package commit

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"syscall"

	"github.com/setopsco/setops/internal/apply"
	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
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

// explainer turns errors of a commit into what a person wants to know first.
type explainer struct {
	stage setops.StageRef
	id    string                             // of the commit; empty where it has not begun
	after setops.Spec                        // what should have been; empty where that is not known
	env   func(app string) map[string]string // the environment of an app in clear, to keep it out of what is told
}

func (s *Service) explain(stage setops.StageRef, job *apply.Job, err error) changeset.Failure {
	e := explainer{stage: stage, env: func(string) map[string]string { return nil }}
	if job != nil {
		e.id, e.after = job.CommitID, job.After
		e.env = func(app string) map[string]string { return s.envOf(stage, job.After.Apps[app]) }
	}
	return e.explain(err)
}

// envOf cannot fail where it matters: what cannot be opened was given to no task.
func (s *Service) envOf(stage setops.StageRef, app *setops.App) map[string]string {
	if app == nil {
		return nil
	}
	env, err := s.OpenEnv(stage.ID, app)
	if err != nil {
		return nil
	}
	return env
}

func (e explainer) explain(err error) changeset.Failure {
	var step *apply.StepError
	var known *setops.Error
	var gate *engine.GateError
	var f changeset.Failure
	if errors.As(err, &step) {
		f.Step, f.App, err = step.Step.ID, step.Step.App, step.Err
		f.Others = e.others(step)
	}
	switch {
	case errors.As(err, &known):
		f.Code, f.Message, f.Temporary = string(known.Code), err.Error(), known.Temporary
	case errors.As(err, &gate):
		e.gate(&f, step, gate)
	default:
		f.Code, f.Temporary = string(setops.ServerFailure), !isFull(err)
		f.Message = e.fault(step, causeOf(err))
	}
	f.Next = e.next(f)
	return f
}

// gate tells of an app that did not get ready, by its own fault or the server's.
func (e explainer) gate(f *changeset.Failure, step *apply.StepError, gate *engine.GateError) {
	if gate.App != "" { // an image belongs to no app; the step does
		f.App = gate.App
	}
	if app := e.after.Apps[f.App]; app != nil {
		f.Release = app.ActiveRelease
	}
	hide := hiderOf(e.env(f.App), e.after.Apps[f.App])
	cause, last := hide.failure(gate)
	f.TaskID, f.Check, f.Log = gate.TaskID, gate.Check, hide.lines(gate.Log)
	if !reflect.ValueOf(last).IsZero() {
		f.LastAnswer = &last
	}
	switch {
	case gate.Fault:
		f.Code, f.Temporary = string(setops.ServerFailure), gate.Temporary
		f.Message = e.fault(step, cause)
		return
	case gate.Check == engine.CheckBefore:
		f.Message = fmt.Sprintf("the task before the activation of release %d of app %s %s", f.Release, f.App, cause)
	case gate.Check == "image":
		f.Message = fmt.Sprintf("the image of app %s cannot run here: %s", f.App, cause)
	default:
		f.Message = fmt.Sprintf("app %s did not get ready: %s", f.App, cause)
	}
	f.Code = string(setops.CommitFailed)
}

// fault tells of what went wrong in the server.
func (e explainer) fault(step *apply.StepError, cause string) string {
	return fmt.Sprintf("the server could not %s, and no app is to blame: %s", undone(step), cause)
}

// undone says what the server was about to do.
func undone(step *apply.StepError) string {
	if step == nil {
		return "run the commit"
	}
	switch s := step.Step; s.Kind {
	case plan.MakeNetwork:
		return "make the network of the stage"
	case plan.PrepareImage:
		return "bring the image of app " + s.App + " to where tasks start"
	case plan.RunTask:
		return "run the task before the activation of app " + s.App
	case plan.StartGeneration, plan.AwaitGeneration, plan.ScaleGeneration:
		return "bring up the tasks of app " + s.App
	case plan.ProveGeneration:
		return "check the tasks of app " + s.App
	case plan.OpenPort:
		return "open a port for app " + s.App
	case plan.Switch:
		return "switch to the new tasks"
	}
	return "do the step " + step.Step.ID
}

func causeOf(err error) string {
	if isFull(err) {
		return "its disk is full: " + err.Error()
	}
	return err.Error()
}

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// others names the apps that were not ready either, each once.
func (e explainer) others(first *apply.StepError) []changeset.OtherFailure {
	var all []changeset.OtherFailure
	told := map[string]bool{first.Step.App: true}
	for _, other := range first.Others {
		app := other.Step.App
		if told[app] || app == "" {
			continue
		}
		var gate *engine.GateError
		o := changeset.OtherFailure{App: app}
		switch {
		case errors.As(other.Err, &gate):
			o.Message, _ = hiderOf(e.env(app), e.after.Apps[app]).failure(gate)
			o.TaskID, o.Check = gate.TaskID, gate.Check
			if gate.Check == engine.CheckBefore && !gate.Fault {
				o.Message = "the task before its activation " + o.Message
			}
		case errors.Is(other.Err, context.Canceled) && other.Step.Kind == plan.AwaitGeneration:
			o.Message = "it was not ready yet"
		case errors.Is(other.Err, context.Canceled):
			continue
		default:
			o.Message = causeOf(other.Err)
		}
		told[app] = true
		all = append(all, o)
	}
	return all
}
