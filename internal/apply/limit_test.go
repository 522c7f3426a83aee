package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// stuck is an engine on which one method never returns by itself.
type stuck struct {
	*world
	in string
}

func (s stuck) hang(ctx context.Context, method string, otherwise error) error {
	if s.in != method {
		return otherwise
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s stuck) EnsureStage(ctx context.Context, ref setops.StageRef, fence int64) error {
	return s.hang(ctx, "EnsureStage", s.world.EnsureStage(ctx, ref, fence))
}

func (s stuck) Prepare(ctx context.Context, i engine.Image) error {
	return s.hang(ctx, "Prepare", s.world.Prepare(ctx, i))
}

func (s stuck) Await(ctx context.Context, id string) error {
	return s.hang(ctx, "Await", s.world.Await(ctx, id))
}

func (s stuck) Prove(ctx context.Context, g engine.Generation) error {
	return s.hang(ctx, "Prove", s.world.Prove(ctx, g))
}

// checked is a job of every kind of step that waits: web is deployed on a stage without a network, and another app gets a
// check.
func checked() *Job {
	j := job()
	web, was, now := j.After.Apps["web"], setops.NewApp("api"), setops.NewApp("api")
	web.Container.StartTimeout = 5
	for _, app := range []*setops.App{was, now} {
		app.Committed, app.ActiveRelease = true, 1
		app.Releases = []setops.Release{{ID: 1, Digest: "one"}}
	}
	now.Container.HealthCheck = &setops.HealthCheck{Command: []string{"ok"}, Interval: 10, Timeout: 9, Retries: 3}
	j.Before.Apps["api"], j.After.Apps["api"] = was, now
	key := []byte("k")
	j.Plan = plan.Make(plan.Input{
		Before: j.Before, After: j.After, Commit: true, Key: key, NewID: func(app string) string { return app + "-new" },
		Serving: map[string]plan.Generation{
			"web": {ID: "web-old", App: "web"}, "api": {ID: "api-old", App: "api", Fingerprint: plan.Fingerprint(key, was)},
		},
		Running: map[string]bool{"web-old": true, "api-old": true},
	})
	return j
}

func TestEveryStepThatWaitsEnds(t *testing.T) {
	for method, most := range map[string]time.Duration{
		"EnsureStage": time.Minute,
		"Prepare":     10 * time.Minute,
		"Await":       65 * time.Second, // the start timeout and a minute
		"Prove":       2 * time.Minute,  // 30 s for the network check, 3 times 10 s, and a minute
	} {
		synctest.Test(t, func(t *testing.T) {
			p := (&world{}).ports()
			p.Engine = stuck{world: &world{}, in: method}
			begin := time.Now()
			err := p.RunBefore(t.Context(), checked())
			var late *LateError
			if !errors.As(err, &late) || late.Limit != most || time.Since(begin) != most {
				t.Errorf("%s: after %s: %v", method, time.Since(begin), err)
			}
		})
	}
}

func TestAFailureOfTheAppGoesBeforeLateness(t *testing.T) {
	ill := &engine.GateError{Cause: "ill"}
	err := within(t.Context(), time.Nanosecond, func(ctx context.Context) error { <-ctx.Done(); return ill })
	if !errors.Is(err, ill) {
		t.Errorf("got %v", err)
	}
}

func TestLatenessTellsWhatTheEngineWaitsFor(t *testing.T) {
	err := within(t.Context(), time.Nanosecond, func(ctx context.Context) error {
		<-ctx.Done()
		return fmt.Errorf("make network: %w", &setops.Error{Message: "the namespace is held", Err: ctx.Err()})
	})
	if err == nil || err.Error() != "it was not done within 1ns: the namespace is held" {
		t.Errorf("got %v", err)
	}
}

func TestACommitThatIsStoppedIsNotLate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := within(ctx, time.Minute, func(ctx context.Context) error { return ctx.Err() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// failing is an engine on which every app fails at a time of its own.
type failing struct {
	*world
	at map[string]time.Time
}

func (f failing) Await(ctx context.Context, id string) error {
	select {
	case <-time.After(time.Until(f.at[id])):
		return &engine.GateError{App: id, Cause: "ill"}
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestAppsThatFailTogetherAreToldTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		after := setops.Spec{Apps: map[string]*setops.App{}}
		for _, name := range []string{"first", "second", "slow"} {
			after.Apps[name] = setops.NewApp(name)
			after.Apps[name].ActiveRelease = 1
		}
		j := &Job{CommitID: "c", After: after, Plan: plan.Make(plan.Input{
			After: after, Commit: true, Network: true, NewID: func(app string) string { return app },
		})}
		p := (&world{}).ports()
		begin := time.Now()
		p.Engine = failing{world: &world{}, at: map[string]time.Time{
			"first": begin.Add(time.Second), "second": begin.Add(time.Second + moment/2), "slow": begin.Add(time.Minute),
		}}
		err := p.RunBefore(t.Context(), j)
		var first *StepError
		if !errors.As(err, &first) || first.Step.App != "first" || len(first.Others) != 2 || time.Since(begin) != time.Second+moment {
			t.Fatalf("after %s: %v", time.Since(begin), err)
		}
		var gate *engine.GateError
		if second := first.Others[0]; second.Step.App != "second" || !errors.As(second.Err, &gate) {
			t.Errorf("got %v", second)
		}
		if slow := first.Others[1]; slow.Step.App != "slow" || !errors.Is(slow.Err, context.Canceled) {
			t.Errorf("got %v", slow)
		}
	})
}

func TestWhatWasRestoredStaysAsItIsCommitted(t *testing.T) {
	app := func(scale int) setops.Spec {
		a := setops.NewApp("web")
		a.ActiveRelease, a.Resources.Scale = 1, scale
		a.Releases = []setops.Release{{ID: 1, Digest: "one"}}
		return setops.Spec{Apps: map[string]*setops.App{"web": a}}
	}
	before, after := app(1), app(9)
	key := []byte("k")
	j := &Job{CommitID: "c", Before: before, After: after, Plan: plan.Make(plan.Input{
		Before: before, After: after, Commit: true, Network: true, Key: key,
		Serving: map[string]plan.Generation{"web": {ID: "lost", App: "web", Fingerprint: plan.Fingerprint(key, after.Apps["web"])}},
	})}
	w := &world{fails: map[string]error{"await lost": &engine.GateError{Cause: "ill"}}}
	if err := w.ports().RunBefore(t.Context(), j); err == nil {
		t.Fatal("it did not fail")
	}
	if err := w.ports().Undo(t.Context(), j, func(int) bool { return true }); err != nil {
		t.Fatal(err)
	}
	const env = " K=clear PORT=5000 PROTOCOL=http"
	first, last := slices.Index(w.did, "ensure lost x9"+env), slices.Index(w.did, "ensure lost x1"+env)
	if first < 0 || last < first || slices.Contains(w.did, "remove lost") {
		t.Errorf("did %v", w.did)
	}
}
