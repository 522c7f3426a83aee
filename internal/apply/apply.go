// Package apply runs the steps of a plan on ports that it declares itself, and journals every one of them. It decides
// nothing: what to do, in which order and why is in the plan. Start with Job.Before.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/graph"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// parallel is how many steps run at the same time.
const parallel = 16

// Ports are what steps act on.
type Ports struct {
	Engine  Engine
	Journal Journal
	// OpenEnv gives the environment of an app in clear.
	OpenEnv func(stageID string, app *setops.App) (map[string]string, error)
	// Pass is the commit point: the store and then the routes become what the job says.
	Pass func(ctx context.Context, j *Job) error
	// Ports gives public tcp apps a port of the router.
	Ports PortKeeper
	Now   func() time.Time
}

// PortKeeper opens and closes TCP ports of the router. Both are idempotent.
type PortKeeper interface {
	OpenPort(ctx context.Context, s setops.StageRef, app string) error
	ClosePort(ctx context.Context, s setops.StageRef, app string) error
}

// Engine is what apply needs of an engine.
type Engine interface {
	EnsureStage(ctx context.Context, s setops.StageRef, fence int64) error
	Prepare(ctx context.Context, i engine.Image) error
	Ensure(ctx context.Context, g engine.Generation) error
	Await(ctx context.Context, id string) error
	Prove(ctx context.Context, g engine.Generation) error
	Remove(ctx context.Context, id string, fence int64) error
	RemoveApp(ctx context.Context, stageID, app string, fence int64) error

	Run(ctx context.Context, t engine.OneOff) (setops.Task, error)
	Stop(ctx context.Context, taskID string) error
	Wait(ctx context.Context, taskID string) (setops.Task, error)
	engine.Logs
}

// Journal remembers which steps were begun and which are done.
type Journal interface {
	StepStarted(ctx context.Context, commitID string, fence int64, position int, now time.Time) error
	StepDone(ctx context.Context, commitID string, fence int64, position int, step plan.Step, now time.Time) error
}

// Job is one plan to run. An empty CommitID journals nothing: things are put back that a committed state has already.
type Job struct {
	CommitID      string
	Fence         int64 // of the lease of the commit: what is written to the engine carries it
	Ended         bool  // the commit has no lease any more: the journal asks for none
	Stage         setops.StageRef
	Before, After setops.Spec
	Plan          plan.Plan
	Progress      func(done, total int) // called after each step before the commit point, never at the same time; may be nil
	TaskStarted   func(id string)       // called once the engine has a pre-activation task; may be nil
}

// StepError says which step failed first, and which failed with it: because of the same, or because they were ended for
// it, which is a context.Canceled.
type StepError struct {
	Step   plan.Step
	Err    error
	Others []*StepError
}

func (e *StepError) Error() string { return e.Step.ID + ": " + e.Err.Error() }

// Unwrap gives the cause.
func (e *StepError) Unwrap() error { return e.Err }

// RunBefore runs the steps up to the commit point and the commit point itself. It returns the first *StepError and
// leaves undoing to Undo.
func (p Ports) RunBefore(ctx context.Context, j *Job) error {
	steps := j.Plan.Before()
	var mu sync.Mutex
	done := 0
	return p.walk(ctx, j, steps, func() {
		mu.Lock()
		defer mu.Unlock()
		done++
		if j.Progress != nil {
			j.Progress(done, len(steps))
		}
	})
}

// RunAfter runs steps behind the commit point that choose selects and that are not done yet. They can be repeated.
func (p Ports) RunAfter(ctx context.Context, j *Job, choose func(position int, s plan.Step) bool) error {
	var steps []plan.Step
	for i, s := range j.Plan.Steps {
		if s.After && choose(i, s) {
			steps = append(steps, s)
		}
	}
	return p.walk(ctx, j, steps, func() {})
}

func (p Ports) walk(ctx context.Context, j *Job, steps []plan.Step, stepDone func()) error {
	position := make(map[string]int, len(j.Plan.Steps))
	for i, s := range j.Plan.Steps {
		position[s.ID] = i
	}
	var mu sync.Mutex
	var failed []*StepError
	err := graph.Walk(ctx, plan.Nodes(steps), parallel, func(ctx context.Context, id string) error {
		i := position[id]
		step := j.Plan.Steps[i]
		if err := p.journalled(ctx, j, i, step); err != nil {
			e := &StepError{Step: step, Err: err}
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, e)
			return e
		}
		stepDone()
		return nil
	})
	var first *StepError
	if errors.As(err, &first) {
		first.Others = slices.DeleteFunc(failed, func(e *StepError) bool { return e == first })
	}
	return err
}

func (p Ports) journalled(ctx context.Context, j *Job, position int, step plan.Step) error {
	if j.CommitID == "" {
		return p.run(ctx, j, step)
	}
	fence := j.Fence
	if j.Ended {
		fence = 0
	}
	if err := p.Journal.StepStarted(ctx, j.CommitID, fence, position, p.Now()); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	err := within(ctx, limit(j, step), func(ctx context.Context) error { return p.run(ctx, j, step) })
	if step.After && errors.Is(err, engine.ErrFenced) {
		err = nil // a later commit has declared anew what this step is about
	}
	if err != nil {
		return err
	}
	// What is done is done: the journal must learn it even when somebody cancels just now.
	if err := p.Journal.StepDone(context.WithoutCancel(ctx), j.CommitID, fence, position, step, p.Now()); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

func (p Ports) run(ctx context.Context, j *Job, step plan.Step) error {
	switch step.Kind {
	case plan.MakeNetwork:
		return p.Engine.EnsureStage(ctx, j.Stage, j.Fence)
	case plan.PrepareImage:
		app := j.After.Apps[step.App]
		release, _ := app.Release(app.ActiveRelease)
		return p.Engine.Prepare(ctx, engine.Image{Repository: engine.Repository(j.Stage, app.Name), Digest: release.Digest})
	case plan.RunTask:
		return p.runTask(ctx, j, step)
	case plan.StartGeneration, plan.ScaleGeneration, plan.AdjustGeneration:
		return p.declare(ctx, j, j.After.Apps[step.App], step.Generation, p.Engine.Ensure)
	case plan.ProveGeneration:
		return p.declare(ctx, j, j.After.Apps[step.App], step.Generation, p.Engine.Prove)
	case plan.AwaitGeneration:
		return p.await(ctx, step.Generation)
	case plan.OpenPort:
		return p.Ports.OpenPort(ctx, j.Stage, step.App)
	case plan.Switch:
		return p.Pass(ctx, j)
	case plan.RemoveGeneration:
		return p.Engine.Remove(ctx, step.Generation, j.Fence)
	case plan.ClosePort:
		return p.Ports.ClosePort(ctx, j.Stage, step.App)
	case plan.RemoveLogs:
		return p.Engine.RemoveApp(ctx, j.Stage.ID, step.App, j.Fence)
	}
	return fmt.Errorf("no such kind of step: %q", step.Kind)
}

// declare gives a generation to the engine as the spec has it. An app that is gone by now, or has no active release any
// more, needs none.
func (p Ports) declare(ctx context.Context, j *Job, app *setops.App, id string,
	to func(context.Context, engine.Generation) error,
) error {
	if app == nil || app.ActiveRelease == 0 {
		return nil
	}
	env, err := p.OpenEnv(j.Stage.ID, app)
	if err != nil {
		return err
	}
	g := engine.GenerationOf(j.Stage, app, id, env)
	g.Fence = j.Fence
	return to(ctx, g)
}

// Undo takes back the steps before the commit point that were begun, all at the same time: none of them needs another
// one's undoing. It gives all errors together.
func (p Ports) Undo(ctx context.Context, j *Job, begun func(position int) bool) error {
	all := make([]error, len(j.Plan.Steps))
	var wg sync.WaitGroup
	for i, step := range j.Plan.Steps {
		if step.After || !begun(i) {
			continue
		}
		wg.Go(func() {
			if err := p.undo(ctx, j, step); err != nil {
				all[i] = fmt.Errorf("undo %s: %w", step.ID, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(all...)
}

func (p Ports) undo(ctx context.Context, j *Job, step plan.Step) error {
	switch step.Kind {
	case plan.RunTask:
		return p.endTask(ctx, step.Task)
	case plan.StartGeneration:
		if step.Restores { // it was declared as the commit would have had it, and goes on as what is committed
			return p.declare(ctx, j, j.Before.Apps[step.App], step.Generation, p.Engine.Ensure)
		}
		return p.Engine.Remove(ctx, step.Generation, j.Fence)
	case plan.OpenPort:
		return p.Ports.ClosePort(ctx, j.Stage, step.App)
	case plan.ScaleGeneration:
		return p.declare(ctx, j, j.Before.Apps[step.App], step.Generation, p.Engine.Ensure)
	}
	return nil
}
