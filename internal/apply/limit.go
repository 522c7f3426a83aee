package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// How long steps may take. What an app may take is its own setting; the rest is for the infrastructure, and whoever
// exceeds it there is not the app.
const (
	networkLimit = time.Minute
	imageLimit   = 10 * time.Minute
	portLimit    = time.Minute
	switchLimit  = 5 * time.Minute // an earlier server may have to end first
	startSlack   = time.Minute     // on top of the start deadline of an app: containers are made, and made anew
	probeLimit   = 30 * time.Second
	otherLimit   = time.Minute // of steps that wait for nothing but the engine to accept them
)

// limit is how long a step may take; 0: it runs behind the commit point, where it is tried until it is done.
func limit(j *Job, step plan.Step) time.Duration {
	if step.After {
		return 0
	}
	switch step.Kind {
	case plan.MakeNetwork:
		return networkLimit
	case plan.PrepareImage:
		return imageLimit
	case plan.OpenPort:
		return portLimit
	case plan.Switch:
		return switchLimit
	}
	app := j.After.Apps[step.App]
	if app == nil {
		return otherLimit
	}
	switch step.Kind {
	case plan.AwaitGeneration:
		return app.StartDeadline() + startSlack
	case plan.RunTask:
		return taskLimit(app)
	case plan.ProveGeneration:
		return checksLimit(app) + startSlack
	}
	return otherLimit
}

// checksLimit is the worst case of asking both checks of an app once more.
func checksLimit(app *setops.App) time.Duration {
	longest := probeLimit
	if c := app.Container.HealthCheck; c != nil {
		longest += time.Duration(c.Retries*(c.Timeout+1)) * time.Second
	}
	return longest
}

// LateError says that a step was not done in time: a fault of the infrastructure.
type LateError struct {
	Limit time.Duration
	Why   string // what the engine says that it waited for; empty: nothing
}

func (e *LateError) Error() string {
	if e.Why != "" {
		return fmt.Sprintf("it was not done within %s: %s", e.Limit, e.Why)
	}
	return fmt.Sprintf("it was not done within %s", e.Limit)
}

// within ends a step at its limit. What the engine says of an app's failure goes before the lateness.
func within(ctx context.Context, most time.Duration, do func(context.Context) error) error {
	if most == 0 {
		return do(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	err := do(limited)
	var gate *engine.GateError
	if err == nil || errors.As(err, &gate) || ctx.Err() != nil || limited.Err() == nil {
		return err
	}
	late := &LateError{Limit: most}
	var told *setops.Error
	if errors.As(err, &told) {
		late.Why = told.Message
	}
	return late
}

// moment is how long others may still take to fail once one has, so that who commits learns of all at once what is wrong.
const moment = 500 * time.Millisecond

// await waits until a generation is ready. Where another step has failed meanwhile, it looks once more.
func (p Ports) await(ctx context.Context, generation string) error {
	err := p.Engine.Await(ctx, generation)
	var other *StepError
	if ctx.Err() == nil || !errors.As(context.Cause(ctx), &other) {
		return err
	}
	again, cancel := context.WithTimeout(context.WithoutCancel(ctx), moment)
	defer cancel()
	var gate *engine.GateError
	if last := p.Engine.Await(again, generation); last == nil || errors.As(last, &gate) {
		return last
	}
	return err
}
