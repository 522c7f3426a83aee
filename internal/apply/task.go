package apply

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// runTask runs the pre-activation task of an app to its end, with the app as it shall be. It does not stop the task when ctx
// ends: Undo does, at once or at the next start of the server.
func (p Ports) runTask(ctx context.Context, j *Job, step plan.Step) error {
	app := j.After.Apps[step.App]
	env, err := p.OpenEnv(j.Stage.ID, app)
	if err != nil {
		return err
	}
	release, _ := app.Release(app.ActiveRelease)
	o := engine.OneOffOf(j.Stage, app, release, step.Task, env, engine.Override{Arguments: step.Argv})
	o.Fence = j.Fence
	if _, err := p.Engine.Run(ctx, o); err != nil {
		return fmt.Errorf("run task %s: %w", step.Task, err)
	}
	if j.TaskStarted != nil {
		j.TaskStarted(step.Task)
	}
	t, err := p.Engine.Wait(ctx, step.Task)
	if err != nil {
		return err
	}
	e := verdict(t)
	if e == nil {
		return nil
	}
	e.Log, err = p.lastLines(ctx, j.Stage.ID, t)
	if err != nil { // what became of the task matters more than what it wrote
		e.Log = []string{"(its log cannot be read: " + setops.Excerpt(err.Error()) + ")"}
	}
	return e
}

// verdict says why a task that has ended did not succeed; nil: it did. One that was told to end did not finish what it was
// run for, whatever its exit code.
func verdict(t setops.Task) *engine.GateError {
	e := &engine.GateError{App: t.App, TaskID: t.ID, Check: engine.CheckBefore}
	if t.Unrun == "" {
		e.Last = setops.LastAnswer{ExitCode: t.ExitCode, Signal: t.Signal, OutOfMemory: t.OOMKilled}
	}
	switch {
	case t.Fault:
		e.Cause, e.Fault, e.Temporary = cmp.Or(t.Unrun, t.Reason), true, true
	case t.Unrun != "":
		e.Cause = "could not be started: " + t.Unrun
	case t.Told || t.OOMKilled || t.Signal != "":
		e.Cause = "was " + t.Reason
	case t.ExitCode == nil:
		e.Cause, e.Fault, e.Temporary = "its exit code was lost", true, true
	case *t.ExitCode != 0:
		e.Cause = fmt.Sprintf("exited with code %d", *t.ExitCode)
	default:
		return nil
	}
	return e
}

// lastLines is how many lines of its log a failure quotes.
const lastLines = 50

func (p Ports) lastLines(ctx context.Context, stageID string, t setops.Task) (lines []string, err error) {
	q := engine.LogQuery{StageID: stageID, App: t.App, TaskID: t.ID, Source: engine.SourceApp, Limit: lastLines}
	err = p.Engine.ReadLogs(ctx, q, func(l engine.LogLine) bool {
		lines = append(lines, l.Text)
		return true
	})
	return lines, err
}

// endTask stops a task and returns once it has ended. One that the engine does not know was not started, or ended long ago.
func (p Ports) endTask(ctx context.Context, id string) error {
	err := p.Engine.Stop(ctx, id)
	if err == nil {
		_, err = p.Engine.Wait(ctx, id)
	}
	if setops.IsCode(err, setops.TaskDoesNotExist) {
		return nil
	}
	return err
}

// taskLimit is how long the step of a task may take: what a one-off task may, and the time to bring it up and down.
func taskLimit(app *setops.App) time.Duration {
	return engine.OneOffLimit + app.StopTimeout() + startSlack
}
