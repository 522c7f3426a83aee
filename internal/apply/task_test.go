package apply

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

func (w *world) Run(_ context.Context, o engine.OneOff) (setops.Task, error) {
	return setops.Task{}, w.do("run %s of %s:%d %s %s limit %s", o.ID, o.App, o.Release, strings.Join(o.Container.Env, " "),
		strings.Join(o.Container.Command, " "), o.Limit)
}

func (w *world) Stop(_ context.Context, id string) error { return w.do("stop %s", id) }

func (w *world) Wait(_ context.Context, id string) (setops.Task, error) {
	t := w.ended
	t.ID, t.App = id, "web"
	return t, w.do("wait %s", id)
}

func (w *world) ReadLogs(_ context.Context, q engine.LogQuery, yield func(engine.LogLine) bool) error {
	for _, text := range w.wrote {
		yield(engine.LogLine{TaskID: q.TaskID, Source: q.Source, Text: text})
	}
	return w.do("log of %s in %s/%s, the last %d of %s", q.TaskID, q.StageID, q.App, q.Limit, q.Source)
}

// gated is job with a pre-activation task.
func gated() *Job {
	j := job()
	j.Plan = plan.Make(plan.Input{
		Before: j.Before, After: j.After, Network: true, Commit: true, Key: []byte("k"),
		Serving: map[string]plan.Generation{"web": {ID: "old", App: "web", Fingerprint: "other"}},
		Running: map[string]bool{"old": true}, NewID: func(app string) string { return app + "-new" },
		Gates: map[string][]string{"web": {"bin/migrate", "--all"}}, NewTaskID: func(app string) string { return "task of " + app },
	})
	return j
}

func TestATaskBeforeActivationRunsTheNewReleaseBeforeAnythingStarts(t *testing.T) {
	w := &world{ended: setops.Task{ExitCode: new(0)}}
	if err := w.ports().RunBefore(t.Context(), gated()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"begin 0", "prepare o/p/st/web@two", "done 0",
		"begin 1", "run task of web of web:2 K=clear PORT=5000 PROTOCOL=http bin/migrate --all limit 24h0m0s", "wait task of web", "done 1",
		"begin 2", "ensure web-new x1 K=clear PORT=5000 PROTOCOL=http", "done 2",
	}
	if len(w.did) < len(want) || !slices.Equal(w.did[:len(want)], want) {
		t.Errorf("did\n%s", strings.Join(w.did, "\n"))
	}
}

func TestATaskThatDoesNotSucceedEndsTheCommit(t *testing.T) {
	for name, test := range map[string]struct {
		ended setops.Task
		want  engine.GateError
	}{
		"an exit code": {
			setops.Task{ExitCode: new(3), Reason: "Essential container in task exited with code 3"},
			engine.GateError{Cause: "exited with code 3", Last: setops.LastAnswer{ExitCode: new(3)}},
		},
		"memory": {
			setops.Task{ExitCode: new(137), OOMKilled: true, Reason: "killed: out of memory (limit 128 MB)"},
			engine.GateError{
				Cause: "was killed: out of memory (limit 128 MB)", Last: setops.LastAnswer{ExitCode: new(137), OutOfMemory: true},
			},
		},
		"a signal": {
			setops.Task{ExitCode: new(137), Signal: "SIGKILL", Reason: "killed: signal 9 (SIGKILL)"},
			engine.GateError{Cause: "was killed: signal 9 (SIGKILL)", Last: setops.LastAnswer{ExitCode: new(137), Signal: "SIGKILL"}},
		},
		"stopped, and it said that all was well": {
			setops.Task{ExitCode: new(0), Told: true, Reason: "stopped by a user"},
			engine.GateError{Cause: "was stopped by a user", Last: setops.LastAnswer{ExitCode: new(0)}},
		},
		"no such program": {
			setops.Task{ExitCode: new(127), Unrun: "there is no program /x", Reason: "start: there is no program /x"},
			engine.GateError{Cause: "could not be started: there is no program /x"},
		},
		"a fault of the host": {
			setops.Task{Unrun: "create container: broken", Fault: true, Reason: "the server could not start it: create container: broken"},
			engine.GateError{Cause: "create container: broken", Fault: true, Temporary: true},
		},
		"the machine went down": {
			setops.Task{Fault: true, Reason: "ended while nobody watched"},
			engine.GateError{Cause: "ended while nobody watched", Fault: true, Temporary: true},
		},
		"a code that was lost": {
			setops.Task{}, engine.GateError{Cause: "its exit code was lost", Fault: true, Temporary: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{ended: test.ended, wrote: []string{"one", "two"}}
			err := w.ports().RunBefore(t.Context(), gated())
			var got *engine.GateError
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			if got.App != "web" || got.TaskID != "task of web" || got.Check != engine.CheckBefore || !slices.Equal(got.Log, w.wrote) {
				t.Errorf("got %+v", got)
			}
			if got.Cause != test.want.Cause || got.Fault != test.want.Fault || got.Temporary != test.want.Temporary || !equal(got.Last, test.want.Last) {
				t.Errorf("got %+v, not %+v", got, test.want)
			}
			if !slices.Contains(w.did, "log of task of web in s/web, the last 50 of app") ||
				slices.ContainsFunc(w.did, func(s string) bool { return strings.HasPrefix(s, "ensure") || strings.HasPrefix(s, "pass") }) {
				t.Errorf("did %v", w.did)
			}
		})
	}
}

func equal(a, b setops.LastAnswer) bool {
	same := a.OutOfMemory == b.OutOfMemory && a.Signal == b.Signal && (a.ExitCode == nil) == (b.ExitCode == nil)
	return same && (a.ExitCode == nil || *a.ExitCode == *b.ExitCode)
}

func TestUndoStopsATaskAndWaitsForItsEnd(t *testing.T) {
	unknown := setops.Refuse(setops.TaskDoesNotExist, "there is none")
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		fails map[string]error
		want  error
		did   []string
	}{
		"it runs":              {nil, nil, []string{"stop task of web", "wait task of web"}},
		"nobody knows it":      {map[string]error{"stop task of web": unknown}, nil, []string{"stop task of web"}},
		"it is forgotten":      {map[string]error{"wait task of web": unknown}, nil, []string{"stop task of web", "wait task of web"}},
		"it cannot be stopped": {map[string]error{"stop task of web": broken}, broken, []string{"stop task of web"}},
		"it cannot be awaited": {map[string]error{"wait task of web": broken}, broken, []string{"stop task of web", "wait task of web"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{fails: test.fails}
			err := w.ports().Undo(t.Context(), gated(), func(i int) bool { return i == 1 })
			if !errors.Is(err, test.want) || !slices.Equal(w.did, test.did) {
				t.Errorf("%v, did %v", err, w.did)
			}
		})
	}
}

func (s stuck) Wait(ctx context.Context, id string) (setops.Task, error) {
	t, err := s.world.Wait(ctx, id)
	return t, s.hang(ctx, "Wait", err)
}

func TestATaskThatNeverEndsIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := (&world{}).ports()
		p.Engine = stuck{world: &world{}, in: "Wait"}
		begin := time.Now()
		err := p.RunBefore(t.Context(), gated())
		var late *LateError
		if want := 24*time.Hour + 2*time.Minute; !errors.As(err, &late) || time.Since(begin) != want {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
	})
}
