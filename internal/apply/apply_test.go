package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

// world is everything that steps act on; it writes down what they do.
type world struct {
	mu    sync.Mutex
	did   []string
	fails map[string]error
	ended setops.Task // what becomes of tasks, but for their ids
	wrote []string    // their logs
}

func (w *world) do(format string, args ...any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := fmt.Sprintf(format, args...)
	w.did = append(w.did, line)
	return w.fails[line]
}

func (w *world) EnsureStage(_ context.Context, s setops.StageRef, _ int64) error {
	return w.do("network %s", s.ID)
}

func (w *world) Prepare(_ context.Context, i engine.Image) error {
	return w.do("prepare %s@%s", i.Repository, i.Digest)
}

func (w *world) Ensure(_ context.Context, g engine.Generation) error {
	return w.do("ensure %s x%d %s", g.ID, g.Scale, strings.Join(g.Container.Env, " "))
}

func (w *world) Await(_ context.Context, id string) error { return w.do("await %s", id) }

func (w *world) Prove(_ context.Context, g engine.Generation) error { return w.do("prove %s", g.ID) }

func (w *world) Remove(_ context.Context, id string, _ int64) error { return w.do("remove %s", id) }

func (w *world) RemoveApp(_ context.Context, stage, app string, _ int64) error {
	return w.do("logs %s/%s", stage, app)
}

func (w *world) StepStarted(_ context.Context, _ string, _ int64, i int, _ time.Time) error {
	return w.do("begin %d", i)
}

func (w *world) StepDone(_ context.Context, _ string, _ int64, i int, _ plan.Step, _ time.Time) error {
	return w.do("done %d", i)
}

func (w *world) ports() Ports {
	return Ports{
		Engine: w, Journal: w, Now: time.Now,
		OpenEnv: func(string, *setops.App) (map[string]string, error) { return map[string]string{"K": "clear"}, nil },
		Pass:    func(_ context.Context, j *Job) error { return w.do("pass %s", j.CommitID) },
	}
}

// job deploys release 2 of web over release 1.
func job() *Job {
	spec := func(active int) setops.Spec {
		app := setops.NewApp("web")
		app.Committed, app.ActiveRelease = true, active
		app.Releases = []setops.Release{{ID: 1, Digest: "one"}, {ID: 2, Digest: "two"}}
		return setops.Spec{Apps: map[string]*setops.App{"web": app}}
	}
	before, after := spec(1), spec(2)
	return &Job{
		CommitID: "c", Stage: setops.StageRef{ID: "s", Organization: "o", Project: "p", Name: "st"}, Before: before, After: after,
		Plan: plan.Make(plan.Input{
			Before: before, After: after, Network: true, Commit: true, Key: []byte("k"),
			Serving: map[string]plan.Generation{"web": {ID: "old", App: "web", Fingerprint: "other"}},
			Running: map[string]bool{"old": true}, NewID: func(app string) string { return app + "-new" },
		}),
	}
}

func TestStepsAreJournalledAroundWhatTheyDo(t *testing.T) {
	w := &world{}
	var progress []int
	j := job()
	j.Progress = func(done, total int) {
		if total != 4 {
			t.Errorf("%d steps in all", total)
		}
		progress = append(progress, done)
	}
	if err := w.ports().RunBefore(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"begin 0", "prepare o/p/st/web@two", "done 0",
		"begin 1", "ensure web-new x1 K=clear PORT=5000 PROTOCOL=http", "done 1",
		"begin 2", "await web-new", "done 2",
		"begin 3", "pass c", "done 3",
	}
	if !slices.Equal(w.did, want) {
		t.Errorf("did\n%s\nnot\n%s", strings.Join(w.did, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(progress, []int{1, 2, 3, 4}) {
		t.Errorf("progress %v", progress)
	}
}

func TestWhatFailsIsNamedAndNothingFollowsIt(t *testing.T) {
	ill := &engine.GateError{Cause: "ill"}
	w := &world{fails: map[string]error{"await web-new": ill}}
	err := w.ports().RunBefore(t.Context(), job())
	var step *StepError
	if !errors.As(err, &step) || step.Step.ID != "await web-new" || !errors.Is(err, ill) {
		t.Fatalf("got %v", err)
	}
	if slices.Contains(w.did, "pass c") || slices.Contains(w.did, "done 2") {
		t.Errorf("went on: %v", w.did)
	}
}

func TestAStepIsNotDoneBeforeTheJournalKnowsItIsBegun(t *testing.T) {
	full := errors.New("disk full")
	w := &world{fails: map[string]error{"begin 1": full}}
	if err := w.ports().RunBefore(t.Context(), job()); !errors.Is(err, full) {
		t.Fatalf("got %v", err)
	}
	if slices.ContainsFunc(w.did, func(s string) bool { return strings.HasPrefix(s, "ensure") }) {
		t.Errorf("started without a journal: %v", w.did)
	}
}

func TestUndoTakesBackOnlyWhatWasBegun(t *testing.T) {
	for begun, want := range map[int][]string{0: nil, 1: {"remove web-new"}, 3: {"remove web-new"}} {
		w := &world{}
		if err := w.ports().Undo(t.Context(), job(), func(i int) bool { return i <= begun }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(w.did, want) {
			t.Errorf("after step %d: undid %v, not %v", begun, w.did, want)
		}
	}
}

func TestWhatIsBehindTheCommitPointRunsByItself(t *testing.T) {
	w := &world{}
	err := w.ports().RunAfter(t.Context(), job(), func(int, plan.Step) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(w.did, []string{"begin 4", "remove old", "done 4"}) {
		t.Errorf("did %v", w.did)
	}
}

func TestAJobWithoutACommitJournalsNothing(t *testing.T) {
	w := &world{}
	j := job()
	j.CommitID = ""
	if err := w.ports().RunBefore(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(w.did, func(s string) bool { return strings.HasPrefix(s, "begin") || strings.HasPrefix(s, "done") }) {
		t.Errorf("journalled: %v", w.did)
	}
}

func TestTheEnvironmentThatCannotBeOpenedStartsNothing(t *testing.T) {
	w := &world{}
	p := w.ports()
	damaged := errors.New("damaged")
	p.OpenEnv = func(string, *setops.App) (map[string]string, error) { return nil, damaged }
	if err := p.RunBefore(t.Context(), job()); !errors.Is(err, damaged) {
		t.Fatalf("got %v", err)
	}
}

func (w *world) OpenPort(_ context.Context, s setops.StageRef, app string) error {
	return w.do("open port %s/%s", s.ID, app)
}

func (w *world) ClosePort(_ context.Context, s setops.StageRef, app string) error {
	return w.do("close port %s/%s", s.ID, app)
}

func TestPortsAreOpenedAndClosedAgain(t *testing.T) {
	queue := setops.NewApp("queue")
	queue.Network.Public, queue.Network.Protocol = true, setops.TCP
	public, empty := setops.Spec{Apps: map[string]*setops.App{"queue": queue}}, setops.Spec{}
	w := &world{}
	p := w.ports()
	p.Ports = w
	j := &Job{Stage: setops.StageRef{ID: "s"}, After: public, Plan: plan.Make(plan.Input{Before: empty, After: public, Commit: true})}
	closing := &Job{Stage: j.Stage, Before: public, Plan: plan.Make(plan.Input{Before: public, Ports: map[string]bool{"queue": true}})}
	err := errors.Join(
		p.RunBefore(t.Context(), j),
		p.Undo(t.Context(), j, func(int) bool { return true }),
		p.RunAfter(t.Context(), closing, func(int, plan.Step) bool { return true }),
	)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(w.did[4:]) // at the same time
	want := "network s, open port s/queue, pass , close port s/queue, close port s/queue, logs s/queue"
	if got := strings.Join(w.did, ", "); got != want {
		t.Errorf("did %s", got)
	}
}
